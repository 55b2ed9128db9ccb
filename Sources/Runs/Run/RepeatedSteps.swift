// Steps of training to be timed: full batches one after the other, without the files and lines of a run.
import DistributedSGD
import MPI

extension TrainingRun {
  /// Makes so many steps each time it is called, on full batches, epoch after epoch.
  /// - Parameter tellEvery: every so many steps the gradient's norm is measured, as in a run that tells of them; every tenth
  ///   time those of its halves. 0: never.
  package func repeatedSteps(tellEvery: Int = 0) -> (Int) throws(MPIError) -> Void {
    let fullBatches = schedule.exampleCount / schedule.globalBatch
    var order = sampler.order(epoch: 0)
    var epoch = 0
    var step = 0
    var all = 0
    return { [self] (count) throws(MPIError) in
      // What was before the block is not training: it goes to a phase that reports leave out.
      trainer.clock.mark(.evaluate)
      for _ in 0..<count {
        if step == fullBatches {
          epoch += 1
          step = 0
          order = sampler.order(epoch: epoch)
        }
        var plan = StepPlan(positions: schedule.positions(step: step))
        step += 1
        all += 1
        if tellEvery > 0, all % tellEvery == 0 { plan.measured = all % (10 * tellEvery) == 0 ? .halves : .whole }
        _ = try trainer.step(order, plan)
      }
      trainer.clock.mark(.other)
    }
  }
}
