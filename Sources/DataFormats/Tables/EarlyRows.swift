// Rows of a compressed table, parsed while the rest of its text is still being decompressed.
import Glibc
import System

/// Reads a table from a stream, whose text is never there as a whole: pieces of it are decompressed into a few buffers,
/// and threads parse them from there.
///
/// How the table is spelled is found in the first piece. What is read is what would be read of the whole text; where
/// anything is wrong, or other than it began, nothing is read, and somebody is to read the whole text in order, who finds
/// the same and tells it as it stands in the file. So nothing but the time depends on this.
final class EarlyRows: EarlyReader, @unchecked Sendable {
  // Unchecked: what is variable is read and written under the lock, or when no thread is there.

  /// A piece of text, and the one that the spelling is found in: `TableSample` looks at the first half of it.
  private static let pieceSize = 2 * TableSample.byteCount

  private struct Piece {
    let buffer: UnsafeMutableRawBufferPointer
    let text: Range<Int>
  }

  /// What was read.
  private(set) var examples: RawExamples?

  private let source: String
  private let options: TableOptions
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let change = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var threads: [pthread_t] = []

  private var beginning: TableBeginning!
  private var numbers: ReservedMemory!
  private var buffers: [UnsafeMutableRawBufferPointer] = []
  /// Those whose text nobody needs.
  private var free: [UnsafeMutableRawBufferPointer] = []
  /// To be parsed, in order.
  private var pieces: [Piece] = []
  private var isWhole = false
  private var hasFailed = false
  /// Where the numbers of each piece that has been taken begin, and those of the next one will.
  private var starts = [0]
  /// Of these pieces; nil while one is being read.
  private var parts: [TablePart?] = []

  /// nil where tables are to be read into a file.
  init?(source: String, options: TableOptions) {
    self.source = source
    self.options = options
    pthread_mutex_init(lock, nil)
    pthread_cond_init(change, nil)
    guard options.cacheFile != .yes else { return nil }
  }

  deinit {
    pthread_cond_destroy(change)
    pthread_mutex_destroy(lock)
    change.deallocate()
    lock.deallocate()
  }

  /// - Returns: whether `examples` are all that there is to be read.
  func read(_ stream: some ByteStream) -> Bool {
    defer {
      for part in parts { part?.deallocate() }
      for buffer in buffers { buffer.deallocate() }
      (parts, buffers, numbers) = ([], [], nil)
    }
    guard let reserved = ReservedMemory() else { return false }
    numbers = reserved
    let isCut: Bool
    do throws(DistsgdError) {
      isCut = try cut(stream)
    } catch {
      isCut = false
    }
    locked {
      (isWhole, hasFailed) = (true, hasFailed || !isCut)
      pthread_cond_broadcast(change)
    }
    while let piece = takePiece() { parse(piece) }
    for thread in threads { pthread_join(thread, nil) }
    examples = hasFailed ? nil : try? joined()
    return examples != nil
  }

  // MARK: The text

  /// Decompresses piece by piece, each but the last one ending with a line; false where that cannot be, or something is
  /// wrong.
  private func cut(_ stream: some ByteStream) throws(DistsgdError) -> Bool {
    var buffer = newBuffer()
    // The beginning of a line, which is in the buffer already.
    var kept = 0
    while true {
      let count = kept + (try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[kept...])))
      let isLast = count < buffer.count
      // As `TableText` leaves out the mark that ended a file once.
      let last = count > 0 && buffer[count - 1] == 0x1A ? count - 1 : count
      let end = isLast ? last : (buffer.lastIndex(of: 0x0A) ?? -1) + 1
      var start = 0
      if beginning == nil {
        guard !isLast, let found = begin(UnsafeRawBufferPointer(rebasing: buffer[..<end])) else {
          return false
        }
        start = found
        startThreads()
      }
      let piece = Piece(buffer: buffer, text: start..<end)
      if isLast {
        locked { pieces.append(piece) }
        return true
      }
      guard start < end, let next = nextBuffer() else { return false }
      kept = count - end
      next.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[end..<count]))
      buffer = next
      locked {
        pieces.append(piece)
        pthread_cond_broadcast(change)
      }
    }
  }

  /// Finds how the table is spelled; returns where its rows begin, or nil where the first piece does not tell.
  private func begin(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard Compression(bytes) == nil, let text = try? TableText(bytes, source: source) else { return nil }
    defer { text.deallocate() }
    guard text.encoding == nil, let found = try? TableBeginning(text, source: source, options: options),
      case let parser = found.spelling.parser, parser.end - parser.position > TableSample.byteCount
    else { return nil }
    beginning = found
    return UnsafeRawPointer(parser.position) - bytes.baseAddress!
  }

  private func newBuffer() -> UnsafeMutableRawBufferPointer {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceSize, alignment: 16)
    buffers.append(buffer)
    return buffer
  }

  /// One whose text nobody needs; this thread parses too where all are waiting for it. nil when something is wrong.
  private func nextBuffer() -> UnsafeMutableRawBufferPointer? {
    while true {
      let (buffer, piece) = locked { () -> (UnsafeMutableRawBufferPointer?, (Piece, Int)?) in
        while !hasFailed {
          if let buffer = free.popLast() { return (buffer, nil) }
          if let piece = nextPiece() { return (nil, piece) }
          if !hasFailed { pthread_cond_wait(change, lock) }
        }
        return (nil, nil)
      }
      guard let piece else { return buffer }
      parse(piece)
    }
  }

  // MARK: The threads

  /// One on each other core; and a buffer for each, and one that waits.
  private func startThreads() {
    for _ in 1..<max(1, availableCores()) {
      guard let thread = startThread({ [self] in while let piece = takePiece() { parse(piece) } }) else {
        break
      }
      threads.append(thread)
    }
    locked { for _ in 0...threads.count { free.append(newBuffer()) } }
  }

  /// The next piece and its number; nil at the end.
  private func takePiece() -> (Piece, Int)? {
    locked {
      while !hasFailed {
        if let piece = nextPiece() { return piece }
        if isWhole { return nil }
        if !hasFailed { pthread_cond_wait(change, lock) }
      }
      return nil
    }
  }

  /// Under the lock: the next piece, for whose numbers there is room; nil if there is none now.
  private func nextPiece() -> (Piece, Int)? {
    guard !hasFailed, !pieces.isEmpty else { return nil }
    let capacity = parser(pieces[0]).capacity(width: beginning.plan.featureCount)
    let all = starts.last! + capacity
    guard isRoom(capacity, of: all) else {
      hasFailed = true
      pthread_cond_broadcast(change)
      return nil
    }
    starts.append(all)
    parts.append(nil)
    return (pieces.removeFirst(), parts.count - 1)
  }

  private func parser(_ piece: Piece) -> TableParser {
    let start = UnsafePointer(piece.buffer.baseAddress!.assumingMemoryBound(to: UInt8.self))
    var parser = TableParser(
      beginning.spelling.parser, from: start + piece.text.lowerBound, to: start + piece.text.upperBound)
    parser.staysInMemory = false
    return parser
  }

  private func parse(_ piece: (Piece, Int)) {
    let (piece, number) = piece
    let range = locked { starts[number]..<starts[number + 1] }
    let space = UnsafeMutableBufferPointer(rebasing: numbers.bytes.bindMemory(to: Double.self)[range])
    let result = parser(piece).part(beginning.plan, space)
    locked {
      free.append(piece.buffer)
      if case .success(let part) = result { parts[number] = part }
      // Where a part has more texts than it may keep, what is told depends on where it begins.
      if parts[number]?.tables.contains(where: { $0?.isFull == true }) ?? true { hasFailed = true }
      pthread_cond_broadcast(change)
    }
  }

  /// Whether memory has room for so many numbers more, and for what becomes of all.
  private func isRoom(_ count: Int, of all: Int) -> Bool {
    guard !options.cacheFile.usesFile(for: 12 * Double(all)), 8 * all <= numbers.bytes.count else {
      return false
    }
    return (try? requireMemory(bytes: 8 * Double(count) + 4 * Double(all), for: source)) != nil
  }

  private func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return body()
  }

  // MARK: When all is parsed

  /// What all pieces have become; nil where the whole text tells more.
  private func joined() throws(DistsgdError) -> RawExamples? {
    let (parts, plan) = (parts.compactMap { $0 }, beginning.plan)
    guard parts.contains(where: { $0.count > 0 }), !hasManyTexts(parts) else { return nil }
    numberCategories(plan, parts)
    let count = closeGaps(parts, starts, width: plan.featureCount, numbers.bytes.bindMemory(to: Double.self))
    var typing = beginning.typing
    guard try typing.settle(plan, parts) == nil else { return nil }
    return try beginning.examples(typing, plan, parts, Numbers(numbers, count: count), options)
  }

  /// Whether a column has more texts than one part may keep.
  private func hasManyTexts(_ parts: [TablePart]) -> Bool {
    parts[0].tables.indices.contains { column in
      parts[0].tables[column] != nil && categoryTexts(of: column, parts).count > maximumCategoryCount
    }
  }
}
