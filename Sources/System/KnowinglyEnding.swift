// How a signal's handler, which can be handed nothing, tells others that this process ends knowingly.

/// Tells the exit code to whoever waits for this process; it may neither wait nor allocate. Set at the start of a job.
package nonisolated(unsafe) var endOfThisProcess: ((Int32) -> Void)?
