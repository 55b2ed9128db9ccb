// Makes a run's faults happen on this rank.
import DistributedSGD
import Glibc
import Synchronization
import System

/// This rank's share of the faults that a run was told to suffer.
final class FaultDrill {
  private let faults: [Fault]
  private var computed = 0.0

  /// - Returns: nil when nothing is to happen on this rank.
  init?(_ faults: [Fault], rank: Int) {
    self.faults = faults.filter { $0.rank == rank }
    if self.faults.isEmpty { return nil }
  }

  /// To be called before every step.
  /// - Parameter positions: those of the step; a rank that is out of step gets others.
  func strike(_ trainer: Trainer, positions: inout Range<Int>) {
    for fault in faults {
      if fault.kind == .slow {
        dawdle(trainer.clock, factor: fault.factor)
        continue
      }
      guard fault.step == trainer.stepCount + 1 else { continue }
      switch fault.kind {
      case .kill: kill(getpid(), SIGKILL)
      case .stop: kill(getpid(), SIGSTOP)
      case .bitflip:
        let middle = trainer.parameters.count / 2
        trainer.parameters[middle] = Float(bitPattern: trainer.parameters[middle].bitPattern ^ 1 << 12)
      case .desync:
        let count = trainer.schedule.globalBatch
        positions = positions.lowerBound >= count ? 0..<positions.count : count..<count + positions.count
      case .nan: trainer.parameters[0] = .nan
      case .fullDisk: diskIsFull.store(true, ordering: .relaxed)
      case .slow: break
      }
    }
  }

  /// Sleeps for what the last step has taken this rank alone, times (factor − 1).
  private func dawdle(_ clock: PhaseClock, factor: Double) {
    let now = [Phase.load, .forward, .backward].reduce(0) { $0 + clock.seconds(of: $1) }
    // The clock starts again with every epoch.
    let spent = now < computed ? now : now - computed
    computed = now
    usleep(UInt32(min(spent * (factor - 1) * 1e6, 1e9)))
    clock.mark(.other)
  }
}
