// Whole nets by one word.

extension ModelSpecification {
  /// LeNet-5 as Dive into Deep Learning has it (after LeCun et al. 1998), for pictures of 28 × 28 or so.
  static func lenet(_ activation: Activation) -> [any Layer] {
    [
      Convolution(channels: 6, kernel: 5, padding: 2), activation, Pooling(.mean, window: 2),
      Convolution(channels: 16, kernel: 5), activation, Pooling(.mean, window: 2),
      Flatten(), Dense(120), activation, Dense(84), activation, Dense(),
    ]
  }

  /// The residual nets for small pictures of He et al. 2016 (section 4.2): 6n + 2 layers, three stages of n blocks, of 16,
  /// 32 and 64 channels.
  static func resnet(blocks: Int) -> [any Layer] {
    func normalised(_ channels: Int, stride: Int = 1) -> [any Layer] {
      [
        Convolution(channels: channels, kernel: 3, stride: stride, padding: 1, isBiased: false), BatchNorm(),
      ]
    }
    var layers: [any Layer] = normalised(16) + [Activation.relu]
    for channels in [16, 32, 64] {
      for block in 0..<blocks {
        let stride = channels > 16 && block == 0 ? 2 : 1
        layers.append(
          Residual(normalised(channels, stride: stride) + [Activation.relu] + normalised(channels)))
        layers.append(Activation.relu)
      }
    }
    return layers + [Pooling.globalMean, Flatten(), Dense()]
  }
}
