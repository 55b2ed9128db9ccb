// What goes into a step and what comes out of it.

/// What a rank is about to do in a step.
package struct StepPlan {
  /// The global batch, as positions in the epoch's order.
  package var positions: Range<Int>
  /// What this rank asks of all, told with the gradients.
  package var requests: Requests = []
  /// Whether the ranks' parameters are compared in this step, whatever its number. The same on all ranks.
  package var comparesParameters = false
  /// Which norms of the gradient are wanted. The same on all ranks.
  package var measured = MeasuredNorms.none

  package init(positions: Range<Int>) { self.positions = positions }
}

/// What all ranks know after a step.
package struct StepResult {
  /// The mean loss of the batch, before the update.
  package let loss: Float
  /// What any rank has asked.
  package let requests: Requests
  /// Who did not do what the others did; the update is made by then.
  package let suspect: Suspect?
  /// Whether the gradients are known to come from the same parameters on all ranks.
  package let isCompared: Bool
}
