// How a gradient changes the parameters.

/// An update rule that treats every parameter alone, so that any part of the arena can be updated by whoever holds
/// its gradient. It keeps no arrays of its own: whoever owns a part of the arena keeps the same part of each of
/// `states`, zeros at the start, saves it in checkpoints and brings it back.
public protocol Optimizer: Named {
  /// The names of the arrays that it needs beside the parameters: `["momentum"]`.
  var states: [String] { get }
  /// η where the user does not say.
  var defaultLearningRate: Double? { get }

  /// Updates a part of the parameters. The bits of each must not depend on how the arena is cut into parts.
  /// - Parameter step: the number of this update, from 1.
  func update(_ part: borrowing ArenaPart, step: Int, learningRate: Float)
}

extension Optimizer {
  public var states: [String] { [] }
  public var defaultLearningRate: Double? { nil }
}

/// A part of the arena on its way through an update: some neighbouring parameters, their gradient, their state.
public struct ArenaPart {
  /// Of the first parameter in the arena.
  public let offset: Int
  /// w, of these neighbouring elements of the arena; changed in place.
  public let parameters: UnsafeMutableBufferPointer<Float>
  /// Shape (parameters.count)
  public let gradient: UnsafeBufferPointer<Float>
  /// Whether weight decay applies to it.
  public let decays: Bool
  /// Shape (states); each is addressed as if the whole arena were there.
  private let states: UnsafePointer<UnsafeMutablePointer<Float>>

  /// For who tests an update rule; a run makes its own.
  @inline(__always)
  public init(
    offset: Int, parameters: UnsafeMutableBufferPointer<Float>, gradient: UnsafeBufferPointer<Float>,
    states: UnsafePointer<UnsafeMutablePointer<Float>>, decays: Bool = true
  ) {
    self.offset = offset
    self.parameters = parameters
    self.gradient = gradient
    self.states = states
    self.decays = decays
  }

  /// Parameters in this part.
  public var count: Int { parameters.count }

  /// This part of the state that stands at `index` in `Optimizer.states`.
  @inline(__always)
  public func state(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: states[index] + offset, count: parameters.count)
  }
}
