// Loading on every core: a loop's pieces on threads of their own, which end with the loop.
import Glibc

/// How many pieces work of this many items is worth: at most one for each core, and none of less than `least` items.
package func pieceCount(_ items: Int, least: Int) -> Int {
  items < 2 * least ? 1 : min(availableCores(), items / least)
}

/// Calls `body` for 0 ..< count at the same time, each on a thread of its own, the first on this one.
package func inParallel(_ count: Int, _ body: (Int) -> Void) {
  guard count > 1 else {
    if count == 1 { body(0) }
    return
  }
  withoutActuallyEscaping(body) { body in
    nonisolated(unsafe) let body = body
    var threads: [pthread_t] = []
    var left: [Int] = []
    for index in 1..<count {
      if let thread = startThread({ body(index) }) {
        threads.append(thread)
      } else {
        // No more threads here: the work is done on this one.
        left.append(index)
      }
    }
    body(0)
    for index in left { body(index) }
    for thread in threads { pthread_join(thread, nil) }
  }
}

/// Calls `body` for ranges that make up 0 ..< count, at the same time where there are enough for several threads.
package func inParallel(over count: Int, least: Int, _ body: (Range<Int>) -> Void) {
  let pieces = pieceCount(count, least: least)
  inParallel(pieces) { piece in body(piece * count / pieces..<(piece + 1) * count / pieces) }
}
