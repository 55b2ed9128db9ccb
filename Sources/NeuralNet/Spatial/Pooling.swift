// Pooling: of each window of a channel one number is left.

/// The largest number or the mean of every window of (window, window) numbers, as `nn.MaxPool2d` and `nn.AvgPool2d`: what
/// does not fill a window at the right and at the bottom is left out. `globalavgpool` has one window, the whole picture.
public struct Pooling: SpatialLayer, Equatable {
  /// What is left of a window.
  public enum Kind: String, Sendable {
    /// The largest.
    case largest = "maxpool"
    /// The mean.
    case mean = "avgpool"
    /// The mean of the whole channel.
    case meanOfAll = "globalavgpool"
  }

  public static let names = ["maxpool", "avgpool", "globalavgpool"]
  public static let form = "maxpool:2,stride=2, avgpool:2, globalavgpool"

  /// What is left of a window.
  public let kind: Kind
  /// Numbers from one side of a window to the other, and from one window to the next; 0 of a global one.
  public let window, stride: Int

  /// - Parameter stride: nil: windows lie side by side.
  /// - Precondition: both are at least 1.
  public init(_ kind: Kind, window: Int, stride: Int? = nil) {
    precondition(kind != .meanOfAll && window >= 1 && (stride ?? 1) >= 1)
    (self.kind, self.window, self.stride) = (kind, window, stride ?? window)
  }

  /// The mean of each channel.
  public static let globalMean = Pooling()

  private init() { (kind, window, stride) = (.meanOfAll, 0, 0) }

  public init(_ word: Word) throws(WordError) {
    guard let kind = Kind(rawValue: word.name) else {
      throw WordError(unknown: word, kind: "pooling", known: Self.names)
    }
    var reader = try WordReader(word)
    guard kind != .meanOfAll else {
      try reader.end()
      self.init()
      return
    }
    guard let window = try reader.nextCount("the window's size", in: 1...1_024) else {
      throw WordError(word.text, "its window's size is missing, as in \(kind.rawValue):2")
    }
    let stride = try reader.count("stride", in: 1...1_024)
    try reader.end()
    self.init(kind, window: window, stride: stride)
  }

  public var description: String {
    guard kind != .meanOfAll else { return kind.rawValue }
    return "\(kind.rawValue):\(window)" + (stride == window ? "" : ",stride=\(stride)")
  }

  public func output(of input: Shape) throws(ShapeError) -> Shape {
    let picture = try PictureSize(input, of: self, isLine: input.sizes.count == 2)
    try picture.requireWindow(window(on: picture), of: self)
    let size = outputSize(on: picture)
    return kind == .meanOfAll ? Shape(size.channels) : size.shape
  }

  /// Of a picture that holds a whole window.
  func outputSize(on picture: PictureSize) -> PictureSize {
    picture.windows(window(on: picture), stride: max(1, stride), channels: picture.channels)
  }

  func window(on picture: PictureSize) -> (height: Int, width: Int) {
    guard kind != .meanOfAll else { return (picture.height, picture.width) }
    return (picture.isLine ? 1 : window, window)
  }
}

/// All numbers of an example in a row, as `nn.Flatten`; they stay where they are.
public struct Flatten: SpatialLayer, PlainlyNamed, Equatable {
  public static let names = ["flatten"]

  public init() {}
  public func output(of input: Shape) -> Shape { Shape(input.count) }
}
