// The thread that talks to other servers while its rank computes: MPI moves messages only while somebody calls it.
import Glibc
import MPI
import System

/// Works between `start` and the moment when nothing is left to do; then the rank's own thread may talk again.
final class Courier: BackgroundTalker {
  private enum Order: UInt32 { case rest, work, end }

  private let order = WaitWord()
  /// Whether the rank's own thread waits for what this one brings.
  private let isAwaited = WaitWord()
  private var thread: pthread_t?
  /// Written by the thread before it rests.
  private var failure: MPIError?

  deinit {
    order.deallocate()
    isAwaited.deallocate()
  }

  /// Makes the thread; `end` must be called.
  /// - Parameter work: does what can be done; nil where all is done, else whether there was anything.
  /// - Returns: false where the system has no more threads.
  func begin(_ work: @escaping () throws(MPIError) -> Bool?) -> Bool {
    nonisolated(unsafe) let work = work
    nonisolated(unsafe) let courier = Unmanaged.passUnretained(self)
    thread = startThread { courier._withUnsafeGuaranteedRef { $0.live(work) } }
    return thread != nil
  }

  /// Ends the thread; after `finish`.
  func end() {
    guard let thread else { return }
    order.set(Order.end.rawValue)
    pthread_join(thread, nil)
    self.thread = nil
  }

  /// Has it work; after `finish`.
  func start() { order.set(Order.work.rawValue) }

  /// Whether it has met with an error, and rests for good.
  var hasFailed: Bool { order.value == Order.rest.rawValue && failure != nil }

  /// Runs `body`, which waits for something that the thread brings.
  func awaited(_ body: () -> Void) {
    isAwaited.set(1)
    body()
    isAwaited.set(0)
  }

  /// Returns when it rests.
  func finish() throws(MPIError) {
    if order.value == Order.work.rawValue {
      awaited {
        while order.value == Order.work.rawValue {
          order.sleep(while: Order.work.rawValue, milliseconds: 100)
        }
      }
    }
    if let failure { throw failure }
  }

  private func live(_ work: () throws(MPIError) -> Bool?) {
    while true {
      switch Order(rawValue: order.value) {
      case .end: return
      case .work:
        do throws(MPIError) {
          var idle = 0
          while let hasMoved = try work() {
            idle = hasMoved ? 0 : idle + 1
            if !hasMoved { pause(idle) }
          }
        } catch {
          failure = error
        }
        order.set(Order.rest.rawValue)
      default: order.sleep(while: Order.rest.rawValue, milliseconds: 1000)
      }
    }
  }

  /// Leaves the core to who computes; not for long, since messages go on only when it is back. Where nobody computes, MPI
  /// itself lets others run, if it is to.
  private func pause(_ idle: Int) {
    if isAwaited.value == 0 { usleep(idle < 20 ? 50 : 200) }
  }
}
