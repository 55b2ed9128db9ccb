// Steps of training to be timed: full batches one after the other, without the files and lines of a run.
import DistributedSGD
import MPI

extension TrainingRun {
  /// Makes so many steps each time it is called, on full batches, epoch after epoch.
  /// - Parameter tellEvery: every so many steps the gradient's norm is measured and a line is made of them, as in a run that
  ///   tells of its steps; every tenth time the norms of its halves are measured too. 0: never.
  package func repeatedSteps(tellEvery: Int = 0) -> (Int) throws(MPIError) -> Void {
    let fullBatches = schedule.exampleCount / schedule.globalBatch
    let isFirst = communicator.rank == 0
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
        let isTold = tellEvery > 0 && all % tellEvery == 0
        if isTold { plan.measured = all % (10 * tellEvery) == 0 ? .halves : .whole }
        let result = try trainer.step(order, plan)
        // The line goes nowhere: this run has no files.
        if isTold, isFirst {
          let moment = StepMoment(
            step: all, epoch: epoch + 1, examples: all * schedule.globalBatch, loss: result.loss,
            seconds: seconds, noiseScale: nil, trainer: trainer)
          try? log.step(moment)
          trainer.clock.mark(.other)
        }
      }
      trainer.clock.mark(.other)
    }
  }
}
