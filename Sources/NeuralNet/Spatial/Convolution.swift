// Convolutions of pictures and of sequences, as PyTorch's: cross-correlations, with zeros around the picture.

/// y[o, i, j] = bias[o] + Σ w[o, c, k, l] · x[c, i·stride + k − padding, j·stride + l − padding], over all channels c of
/// its group and all numbers of the kernel; as `nn.Conv2d`, `nn.Conv1d`, or with a group for each channel.
public struct Convolution: SpatialLayer, Equatable {
  /// What it goes over.
  public enum Kind: String, Sendable {
    /// [channels, height, width]
    case plane = "conv"
    /// [channels, length]; a table's row is one channel.
    case line = "conv1d"
    /// [channels, height, width], each channel by itself.
    case depthwise
  }

  public static let names = ["conv", "conv1d", "depthwise"]
  public static let form =
    "conv:16,3,stride=1,padding=1 (channels, kernel; unbiased: no bias), conv1d:16,3, depthwise:3,padding=1"

  /// What it goes over.
  public let kind: Kind
  /// Channels of its output; nil of a depthwise one, which has those of its input.
  public let channels: Int?
  /// Numbers from one side of the kernel to the other.
  public let kernel: Int
  /// From one position to the next, and zeros at each side.
  public let stride, padding: Int
  /// Whether a number is added to each channel.
  public let isBiased: Bool

  /// - Precondition: kernel and stride are at least 1, the padding is less than the kernel, and channels are named
  ///   unless it is depthwise.
  public init(
    _ kind: Kind = .plane, channels: Int? = nil, kernel: Int, stride: Int = 1, padding: Int = 0,
    isBiased: Bool = true
  ) {
    precondition((channels ?? 1) >= 1 && kernel >= 1 && stride >= 1 && 0..<kernel ~= padding)
    precondition((channels == nil) == (kind == .depthwise))
    (self.kind, self.channels, self.kernel) = (kind, channels, kernel)
    (self.stride, self.padding, self.isBiased) = (stride, padding, isBiased)
  }

  public init(_ word: Word) throws(WordError) {
    guard let kind = Kind(rawValue: word.name) else {
      throw WordError(unknown: word, kind: "convolution", known: Self.names)
    }
    var reader = try WordReader(word)
    let isBiased = !reader.flag("unbiased")
    let example = kind == .depthwise ? "depthwise:3,padding=1" : "\(kind.rawValue):16,3,padding=1"
    var channels: Int?
    if kind != .depthwise {
      channels = try reader.nextCount("the number of channels", in: 1...65_536)
      guard channels != nil else {
        throw WordError(word.text, "its channels and its kernel are missing, as in \(example)")
      }
    }
    guard let kernel = try reader.nextCount("the kernel's size", in: 1...1_024) else {
      throw WordError(word.text, "its kernel's size is missing, as in \(example)")
    }
    let stride = try reader.count("stride", in: 1...1_024) ?? 1
    let padding = try reader.count("padding", in: 0...1_023) ?? 0
    try reader.end()
    guard padding < kernel else {
      throw WordError(
        word.text,
        "padding is \(padding) and must be less than the kernel's \(kernel): the rest would be zeros"
      )
    }
    self.init(
      kind, channels: channels, kernel: kernel, stride: stride, padding: padding, isBiased: isBiased)
  }

  public var description: String {
    var text = "\(kind.rawValue):" + (channels.map { "\($0)," } ?? "") + "\(kernel)"
    if stride > 1 { text += ",stride=\(stride)" }
    if padding > 0 { text += ",padding=\(padding)" }
    return isBiased ? text : text + ",unbiased"
  }

  public func output(of input: Shape) throws(ShapeError) -> Shape {
    let picture = try PictureSize(input, of: self, isLine: kind == .line)
    try picture.requireWindow(kernel(on: picture), padding: padding, of: self)
    return outputSize(on: picture).shape
  }

  /// Of a picture that holds a whole kernel.
  func outputSize(on picture: PictureSize) -> PictureSize {
    picture.windows(
      kernel(on: picture), stride: stride, padding: padding, channels: channels ?? picture.channels)
  }

  /// Height and width: a sequence has no height.
  func kernel(on picture: PictureSize) -> (height: Int, width: Int) {
    (kind == .line ? 1 : kernel, kernel)
  }

  func groups(of picture: PictureSize) -> Int { kind == .depthwise ? picture.channels : 1 }

  public func tensors(of input: Shape) -> [TensorRequest] {
    let picture = PictureSize(checked: input)
    let outputs = channels ?? picture.channels
    let inputs = picture.channels / groups(of: picture)
    let size = kernel(on: picture)
    let fanIn = inputs * size.height * size.width
    let shape = kind == .line ? [outputs, inputs, kernel] : [outputs, inputs, kernel, kernel]
    let weight = TensorRequest("weight", shape: shape, role: .weight(fanIn: fanIn))
    return isBiased ? [weight, TensorRequest("bias", shape: [outputs], role: .bias(fanIn: fanIn))] : [weight]
  }

  public func forwardOperations(of input: Shape) -> Int {
    guard let output = try? output(of: input) else { return 0 }
    let weights = tensors(of: input)[0].shape.dropFirst().reduce(1, *)
    return 2 * output.count * weights
  }
}
