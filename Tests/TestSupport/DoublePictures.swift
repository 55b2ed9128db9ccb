// Layers on pictures in double precision, one number at a time, as their definitions have them.
import NeuralNet

/// Numbers of [channels, height, width], zeros outside; a sequence has one row.
struct DoublePicture {
  var channels, height, width: Int
  var values: [Double]

  init(_ shape: Shape, _ values: [Double]) {
    let sizes = shape.sizes
    channels = sizes.count == 1 ? 1 : sizes[0]
    height = sizes.count == 3 ? sizes[1] : 1
    width = sizes[sizes.count - 1]
    self.values = values
    precondition(values.isEmpty || values.count == shape.count, "\(values.count) numbers are no \(shape)")
  }

  subscript(channel: Int, y: Int, x: Int) -> Double {
    0..<height ~= y && 0..<width ~= x ? values[(channel * height + y) * width + x] : 0
  }
}

extension Convolution {
  func reference(_ inputs: [Double], _ shape: Shape, weight: [Double], bias: [Double]?) throws -> [Double] {
    let picture = DoublePicture(shape, inputs)
    let result = try DoublePicture(output(of: shape), [])
    let high = kind == .line ? 1 : kernel
    let vertical = kind == .line ? 0 : padding
    let ofGroup = kind == .depthwise ? 1 : picture.channels
    return (0..<result.channels).flatMap { o in
      (0..<result.height).flatMap { i in
        (0..<result.width).map { j in
          var sum = bias?[o] ?? 0
          for c in 0..<ofGroup {
            for k in 0..<high {
              for l in 0..<kernel {
                sum +=
                  weight[((o * ofGroup + c) * high + k) * kernel + l]
                  * picture[kind == .depthwise ? o : c, i * stride + k - vertical, j * stride + l - padding]
              }
            }
          }
          return sum
        }
      }
    }
  }
}

extension Pooling {
  func reference(_ inputs: [Double], _ shape: Shape) throws -> [Double] {
    let picture = DoublePicture(shape, inputs)
    guard kind != .meanOfAll else {
      let size = picture.height * picture.width
      return (0..<picture.channels).map {
        inputs[$0 * size..<($0 + 1) * size].reduce(0, +) / Double(size)
      }
    }
    let result = try DoublePicture(output(of: shape), [])
    let isLine = shape.sizes.count == 2
    let (high, step) = isLine ? (1, 1) : (window, stride)
    return (0..<result.channels).flatMap { c in
      (0..<result.height).flatMap { i in
        (0..<result.width).map { j in
          let numbers = (0..<high).flatMap { k in
            (0..<window).map { picture[c, i * step + k, j * stride + $0] }
          }
          return kind == .largest ? numbers.max()! : numbers.reduce(0, +) / Double(numbers.count)
        }
      }
    }
  }
}
