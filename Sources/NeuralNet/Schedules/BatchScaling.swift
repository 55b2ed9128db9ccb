/// How a learning rate that is meant for one batch size is carried over to another.
public enum BatchScaling: String, Sendable, CaseIterable {
  /// η·B/base (Krizhevsky 2014; Goyal et al. 2017).
  case linear
  /// η·√(B/base) (Hoffer et al. 2017), for optimizers whose step does not grow with the gradient too.
  case sqrt

  /// What η is multiplied by.
  package func factor(globalBatch: Int, baseBatch: Int) -> Double {
    let ratio = Double(globalBatch) / Double(baseBatch)
    return self == .linear ? ratio : ratio.squareRoot()
  }
}
