// Large pages for large arrays: new memory comes page by page, which for pages of 4 KiB takes longer than filling it.
import Glibc

/// Asks for large pages where memory that nothing has been written to yet is large enough for some.
package func preferLargePages(_ memory: UnsafeMutableRawBufferPointer) {
  let page = 2 << 20
  guard memory.count >= 2 * page, let start = memory.baseAddress else { return }
  let first = start.alignedUp(toMultipleOf: page)
  let last = (start + memory.count).alignedDown(toMultipleOf: page)
  // A wish: a system that does not grant it is as it was.
  if last > first { madvise(first, last - first, Int32(MADV_HUGEPAGE)) }
}
