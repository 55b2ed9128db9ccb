// What a model's predictions are measured in, as its preprocessing tells it.
import DataFormats
import DistributedSGD
import MPI
import NeuralNet

extension MeasuredTask {
  /// - Parameter deviations: one a target.
  init(_ loss: any Loss, classCount: Int?, deviations: [Double]) {
    self.init(
      classCount: classCount, deviations: classCount == nil ? deviations : [], lossIsLogLoss: loss.isLogLoss)
  }

  /// The preprocessing is known where data were loaded. Collective.
  init(
    _ preprocessing: Preprocessing, _ model: Sequential, _ loss: any Loss, _ data: Dataset,
    over communicator: any Communicator
  ) throws(MPIError) {
    var deviations = [Double](repeating: 1, count: model.outputCount)
    for (index, target) in preprocessing.targets.enumerated() where index < deviations.count {
      deviations[index] = target.deviation
    }
    if communicator.worldSize > 1 {
      for index in deviations.indices {
        deviations[index] = Double(
          bitPattern: try communicator.broadcast(deviations[index].bitPattern, from: 0))
      }
    }
    self.init(loss, classCount: data.classCount, deviations: deviations)
  }
}
