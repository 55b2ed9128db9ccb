// Threads of this program's own: for loading on all cores, for writing behind the training, for watching it.
import Glibc

/// Starts a thread, which is to be joined; nil when the system has no more of them.
package func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
  let work = Unmanaged.passRetained(Work(run: body))
  var thread = pthread_t()
  let code = pthread_create(
    &thread, nil,
    { argument in
      FloatingPointEnvironment.setDefault()
      Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().run()
      FloatingPointEnvironment.check()
      return nil
    }, work.toOpaque())
  if code == 0 { return thread }
  work.release()
  return nil
}

private final class Work: Sendable {
  let run: @Sendable () -> Void
  init(run: @escaping @Sendable () -> Void) { self.run = run }
}
