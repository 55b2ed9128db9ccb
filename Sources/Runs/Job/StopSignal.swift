// SIGTERM, SIGINT, SIGUSR1 and SIGHUP as a wish to stop after this step: what a scheduler or a person sends.
import CSignals

package enum StopSignal {
  /// From now on the signals are noted instead of ending the process; a second SIGINT still ends it. For programs
  /// that train and then end.
  package static func catchAll() { csignals_catch() }

  /// From now on they end the process again, as before `catchAll`.
  package static func release() { csignals_release() }

  /// Whether one has come.
  @inline(__always)
  package static var hasCome: Bool { csignals_has_received() != 0 }
}
