// Memory of which nobody knows yet how much will be needed.
import Glibc

/// Addresses for as much as this machine's memory may hold, which take none before they are written to; given back with
/// this object.
package final class ReservedMemory {
  package let bytes: UnsafeMutableRawBufferPointer

  /// nil where a limit of this process counts addresses.
  package init?() {
    guard MemoryLimit.ofProcess() == nil else { return nil }
    let count = Int(MemoryLimit.ofMachine().total)
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | Int32(MAP_NORESERVE)
    guard let start = mmap(nil, count, PROT_READ | PROT_WRITE, flags, -1, 0), start != MAP_FAILED else {
      return nil
    }
    bytes = UnsafeMutableRawBufferPointer(start: start, count: count)
    preferLargePages(bytes)
  }

  deinit { munmap(bytes.baseAddress!, bytes.count) }
}
