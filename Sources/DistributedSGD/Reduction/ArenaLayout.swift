// What lies where in the arena that the ranks reduce: said here, and nowhere else.
import System

/// n gradients, the scalars that are added with them, and the words that are compared. After the step the parameters
/// stand in the place of the gradients.
package struct ArenaLayout: Sendable, Equatable {
  /// Floats in a cache line.
  private static let line = 16
  /// Floats that one rank owns together: sums of squares are made of blocks (`NormPlan`).
  package static let block = 1024

  /// n
  package let parameterCount: Int

  package init(parameterCount: Int) { self.parameterCount = parameterCount }

  /// Where the loss of the batch is.
  package var loss: Int { parameterCount }
  /// Floats that are added up: they come first.
  package var addedCount: Int { loss + 1 }
  /// Where the words begin. Within one cache line, so that they are never parts of two ranks.
  package var words: Int {
    (addedCount + AgreementWords.floatCount - 1) / AgreementWords.floatCount * AgreementWords.floatCount
  }
  package var length: Int { words + AgreementWords.floatCount }
  /// From one arena to the next.
  package var stride: Int { Self.wholeLines(length) }

  /// `count` floats and those that are left of their last cache line.
  static func wholeLines(_ count: Int) -> Int { (count + line - 1) / line * line }

  /// The part of the arena that `rank` adds up and updates: whole blocks.
  package func ownedRange(of rank: Int, worldSize: Int) -> Range<Int> {
    let blocks = part(rank, of: worldSize, count: (length + Self.block - 1) / Self.block)
    return min(blocks.lowerBound * Self.block, length)..<min(blocks.upperBound * Self.block, length)
  }

  /// The words of an arena; the part of it that holds them is enough.
  func words(of arena: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<AgreementWords> {
    UnsafeMutableRawPointer(arena + words).assumingMemoryBound(to: AgreementWords.self)
  }

  /// The words of some of several arenas; the caller deallocates the pointers.
  func words(
    of arenas: UnsafeMutablePointer<UnsafeMutablePointer<Float>>, at indices: [Int]
  ) -> UnsafeMutableBufferPointer<UnsafeMutablePointer<AgreementWords>> {
    let words = UnsafeMutableBufferPointer<UnsafeMutablePointer<AgreementWords>>.allocate(
      capacity: indices.count)
    _ = words.initialize(from: indices.map { self.words(of: arenas[$0]) })
    return words
  }
}

extension UnsafeMutablePointer<Float> {
  /// A pointer to each of some places in this memory; the caller deallocates them.
  func pointers(at offsets: [Int]) -> UnsafeMutablePointer<UnsafeMutablePointer<Float>> {
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<Float>>.allocate(capacity: max(1, offsets.count))
    for (index, offset) in offsets.enumerated() { (pointers + index).initialize(to: self + offset) }
    return pointers
  }
}
