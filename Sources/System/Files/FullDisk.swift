// A disk that is full on purpose: what the fault drill makes happen to every file that is written from then on.
import Glibc
import Synchronization

/// Whether files are to be refused as by a full disk.
package let diskIsFull = Atomic(false)

/// - Throws: what a full disk would.
func requireSpace(for path: String) throws {
  if diskIsFull.load(ordering: .relaxed) { throw writeError(path, ENOSPC) }
}
