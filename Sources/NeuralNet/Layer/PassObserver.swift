// Who follows a pass from layer to layer: parameters may come, and gradients go, while other layers compute.

/// Is told how far the passes of a step are. Layers lie in the arena one behind the other, so one offset says it all.
public protocol PassObserver: AnyObject {
  /// Whether all parameters before `end` are there: a forward pass that is about to read some may then take them all.
  func hasArrived(upTo end: Int) -> Bool
  /// A forward pass is about to read parameters before `end`; it goes on when this returns.
  func willRead(upTo end: Int)
  /// The last backward pass has added up all gradients from `start` on.
  func didSum(downTo start: Int)
  /// It reads no parameters from `start` on any more.
  func didRead(downTo start: Int)
}
