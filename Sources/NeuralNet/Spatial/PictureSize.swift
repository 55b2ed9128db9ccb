// Pictures by their sizes: what the layers on them take, and what they leave.

/// A layer that runs together with its neighbours of this kind (`SpatialPass`).
protocol SpatialLayer: Layer {}

extension SpatialLayer {
  public func prepared(_ place: LayerPlace) -> any LayerPass {
    SpatialPass([self], on: [place.input], offsets: [place.offsets], place)
  }
}

/// The sizes of one example on which layers of neighbourhoods work; a sequence is a picture of one row.
struct PictureSize: Equatable {
  let channels, height, width: Int
  let isLine: Bool

  init(channels: Int, height: Int, width: Int, isLine: Bool = false) {
    (self.channels, self.height, self.width, self.isLine) = (channels, height, width, isLine)
  }

  /// Of a shape in which `init(_:of:isLine:)` has found a picture; other shapes have channels of one number.
  init(checked shape: Shape) {
    let sizes = shape.sizes
    switch sizes.count {
    case 3: self.init(channels: sizes[0], height: sizes[1], width: sizes[2])
    case 2: self.init(channels: sizes[0], height: 1, width: sizes[1], isLine: true)
    default: self.init(channels: 1, height: 1, width: shape.count, isLine: true)
    }
  }

  /// - Throws: `ShapeError` where `shape` is no picture, or no sequence.
  init(_ shape: Shape, of layer: some Layer, isLine: Bool) throws(ShapeError) {
    guard isLine ? shape.sizes.count <= 2 : shape.sizes.count == 3 else {
      throw ShapeError(
        isLine
          ? "'\(layer)' takes channels × length, and gets \(shape): write conv for pictures"
          : "'\(layer)' takes channels × height × width, and gets \(shape)"
            + (shape.sizes.count <= 2 ? ": write conv1d for rows of numbers" : ""))
    }
    self.init(checked: shape)
  }

  /// `[channels, length]` of a sequence.
  var shape: Shape { isLine ? Shape(channels, width) : Shape(channels, height, width) }

  /// The picture of so many channels that has a number for every whole window; a sequence has no padding above it.
  func windows(
    _ window: (height: Int, width: Int), stride: Int, padding: Int = 0, channels: Int
  ) -> PictureSize {
    PictureSize(
      channels: channels, height: (height + (isLine ? 0 : 2 * padding) - window.height) / stride + 1,
      width: (width + 2 * padding - window.width) / stride + 1, isLine: isLine)
  }

  /// - Throws: `ShapeError` where there is no whole window.
  func requireWindow(
    _ window: (height: Int, width: Int), padding: Int = 0, of layer: some Layer
  ) throws(ShapeError) {
    guard window.height <= height + (isLine ? 0 : 2 * padding), window.width <= width + 2 * padding else {
      let size = isLine ? "\(width) numbers" : "\(height) × \(width)"
      throw ShapeError(
        "'\(layer)' does not fit into the \(size) in front of it: take a smaller one"
          + (layer is Convolution ? ", or more padding" : ""))
    }
  }
}
