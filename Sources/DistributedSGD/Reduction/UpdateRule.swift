import NeuralNet

/// All that says how a gradient changes the parameters, but for the learning rate.
package struct UpdateRule: Sendable {
  package let optimizer: any Optimizer
  package let clipping: Clipping?
  /// What goes without weight decay.
  package let noDecayFor: Set<DecayExemption>

  package init(_ optimizer: any Optimizer, clipping: Clipping? = nil, noDecayFor: Set<DecayExemption> = []) {
    self.optimizer = optimizer
    self.clipping = clipping
    self.noDecayFor = noDecayFor
  }
}
