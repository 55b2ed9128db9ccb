// What training does to its examples, and evaluation does not.

/// Augmentation, mixup, smoothed labels, classes that count more than others.
package struct Treatment: Sendable, Equatable {
  /// Of pictures.
  package var augmentation: Augmentation?
  /// α of mixup's Beta(α, α).
  package var mixup: Double?
  /// ε: a class's share in the target is (1 − ε)·[it is the label] + ε / classes.
  package var labelSmoothing: Float?
  /// Shape (classes): how much an example of each class counts.
  package var classWeights: [Float]?

  package init() {}

  /// Whether an example's place in the epoch says what becomes of it.
  var needsOrder: Bool { augmentation != nil || mixup != nil }
  /// Whether classes have shares in the target, and not one of them all of it.
  package var hasShares: Bool { labelSmoothing != nil || classWeights != nil }
  var isNothing: Bool { !needsOrder && !hasShares }
}
