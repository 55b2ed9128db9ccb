// Rows of a compressed table, parsed while the rest of its text is still being decompressed.
import Glibc
import System

/// Reads ahead of `readTable`: pieces of a text as it comes, as they would be read if the text ended well.
///
/// How the table is spelled is found in the text's first megabytes. `rows` compares that with what the whole text says,
/// and gives nothing where it differs or anything went wrong: then all is read in order, and an error is told as it
/// stands in the file. So nothing but the time depends on this.
final class EarlyRows: EarlyReader, @unchecked Sendable {
  // Unchecked: what is variable is read and written under the lock, but for the last two functions, when all threads
  // have ended.

  /// Text that the spelling is found in, and of which a piece is made.
  private static let pieceSize = 2 << 20
  private struct Piece {
    var number: Int
    var parser: TableParser
    var plan: TablePlan
  }

  private let source: String
  private let options: TableOptions
  private let threadCount = availableCores() - 1
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let change = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var threads: [pthread_t] = []

  private var text = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
  private var isWhole = false
  private var hasFailed = false
  private var beginning: TableBeginning?
  /// Where the next piece begins, and up to where it has no line feed to end at.
  private var next = 0
  private var searched = 0
  /// Of the pieces in their order; nil while one is being read.
  private var parts: [TablePart?] = []
  private var numberCount = 0

  /// nil where there is nothing to be gained.
  init?(source: String, options: TableOptions) {
    self.source = source
    self.options = options
    pthread_mutex_init(lock, nil)
    pthread_cond_init(change, nil)
    guard threadCount > 0, options.cacheFile != .yes else { return nil }
  }

  deinit {
    discard()
    pthread_cond_destroy(change)
    pthread_mutex_destroy(lock)
    change.deallocate()
    lock.deallocate()
  }

  // MARK: As the text comes

  /// More of the text is there, at the same place as before.
  func grow(to bytes: UnsafeRawBufferPointer) {
    guard bytes.count > Self.pieceSize else { return }
    let isNeeded = locked {
      text = bytes.bindMemory(to: UInt8.self)
      pthread_cond_broadcast(change)
      return threads.isEmpty && !hasFailed
    }
    guard isNeeded else { return }
    for number in 0..<threadCount {
      let thread = startThread { [self] in
        if number == 0 { begin() }
        work()
      }
      guard let thread else { break }
      threads.append(thread)
    }
    if threads.isEmpty { fail() }
  }

  /// All of the text is there, and this thread helps.
  func end() {
    guard !threads.isEmpty else { return }
    locked {
      // As `TableText` leaves it out.
      if text.last == 0x1A { text = UnsafeBufferPointer(rebasing: text.dropLast()) }
      isWhole = true
      pthread_cond_broadcast(change)
    }
    work()
    join()
  }

  /// The text cannot be read to its end.
  func stop() {
    fail()
    join()
  }

  private func join() {
    for thread in threads { pthread_join(thread, nil) }
    threads = []
  }

  // MARK: The threads

  /// Finds how the table is spelled.
  private func begin() {
    let text = locked { self.text }
    let lines = UnsafeBufferPointer(rebasing: text[..<((text.lastIndex(of: 0x0A) ?? text.count - 1) + 1)])
    let bytes = UnsafeRawBufferPointer(lines)
    guard Compression(bytes) == nil, let table = try? TableText(bytes, source: source) else { return fail() }
    defer { table.deallocate() }
    guard table.encoding == nil, let found = try? TableBeginning(table, source: source, options: options)
    else {
      return fail()
    }
    locked {
      beginning = found
      next = UnsafeRawPointer(found.spelling.parser.position) - bytes.baseAddress!
      searched = next
      pthread_cond_broadcast(change)
    }
  }

  /// Reads pieces as long as there are some.
  private func work() {
    while let piece = takePiece() {
      let capacity = piece.parser.capacity(width: piece.plan.featureCount)
      guard isRoom(capacity) else { return fail() }
      let features = UnsafeMutableBufferPointer<Double>.allocate(capacity: max(1, capacity))
      guard case .success(let part) = piece.parser.part(piece.plan, features) else {
        features.deallocate()
        return fail()
      }
      locked { parts[piece.number] = part }
    }
  }

  /// The next piece; nil at the end.
  private func takePiece() -> Piece? {
    locked {
      while !hasFailed {
        if let beginning {
          if let stop = pieceEnd() {
            let start = text.baseAddress!
            let parser = TableParser(beginning.spelling.parser, from: start + next, to: start + stop)
            (next, searched) = (stop, stop)
            parts.append(nil)
            return Piece(number: parts.count - 1, parser: parser, plan: beginning.plan)
          }
          if isWhole { return nil }
        }
        pthread_cond_wait(change, lock)
      }
      return nil
    }
  }

  /// Where the next piece ends: after a line feed, or with the text; nil where that has not come.
  private func pieceEnd() -> Int? {
    searched = max(searched, next + Self.pieceSize)
    if searched < text.count {
      let start = text.baseAddress!
      if let feed = memchr(start + searched, 0x0A, text.count - searched) {
        return UnsafeRawPointer(feed) - UnsafeRawPointer(start) + 1
      }
      searched = text.count
    }
    return isWhole && next < text.count ? text.count : nil
  }

  /// Whether memory has room for so many numbers more, and for what becomes of all.
  private func isRoom(_ count: Int) -> Bool {
    let all = locked {
      numberCount += count
      return Double(numberCount)
    }
    guard !options.cacheFile.usesFile(for: 12 * all) else { return false }
    return (try? requireMemory(bytes: 8 * Double(count) + 4 * all, for: source)) != nil
  }

  private func fail() {
    locked {
      hasFailed = true
      pthread_cond_broadcast(change)
    }
  }

  private func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return body()
  }

  // MARK: When the text is known

  /// All rows, once, if they were read by this plan from where this parser stands; nil: they are still to be read.
  func rows(_ plan: TablePlan, _ parser: TableParser) -> (parts: [TablePart], features: Numbers)? {
    defer { discard() }
    let found = parts.compactMap { $0 }
    guard isWhole, !hasFailed, let beginning, beginning.plan == plan,
      beginning.spelling.parser.reads(as: parser), parser.end == text.baseAddress! + text.count,
      found.contains(where: { $0.count > 0 }), !hasManyTexts(found),
      let features = try? joined(found, plan)
    else { return nil }
    parts = []
    return (found, features)
  }

  /// Whether a column has more texts than one part may keep, which depends on where the parts begin.
  private func hasManyTexts(_ parts: [TablePart]) -> Bool {
    guard let first = parts.first else { return false }
    return first.tables.indices.contains { column in
      first.tables[column] != nil
        && (parts.contains { $0.tables[column]!.isFull }
          || categoryTexts(of: column, parts).count > maximumCategoryCount)
    }
  }

  /// The numbers of all parts, one after the other; the parts' own memory is given back.
  private func joined(_ parts: [TablePart], _ plan: TablePlan) throws(DistsgdError) -> Numbers {
    numberCategories(plan, parts)
    let starts = parts.reduce(into: [0]) { $0.append($0.last! + $1.count * plan.featureCount) }
    return try Numbers(capacity: starts.last!, inFile: false, source: source) { buffer, initialized in
      preferLargePages(UnsafeMutableRawBufferPointer(buffer))
      inParallel(over: parts.count, least: 1) { range in
        for number in range {
          let count = starts[number + 1] - starts[number]
          if count > 0 {
            memcpy(buffer.baseAddress! + starts[number], parts[number].features.baseAddress!, 8 * count)
          }
          parts[number].features.deallocate()
        }
      }
      initialized = starts.last!
    }
  }

  private func discard() {
    for part in parts {
      part?.features.deallocate()
      part?.deallocate()
    }
    parts = []
  }
}

extension TableParser {
  /// Whether the other one stands at the same place, and reads in the same way.
  fileprivate func reads(as other: TableParser) -> Bool {
    position == other.position && delimiter == other.delimiter && secondQuote == other.secondQuote
      && comment == other.comment && point == other.point
      && hasTrailingDelimiter == other.hasTrailingDelimiter && line == other.line
      && commentCount == other.commentCount && names == other.names && firstLine == other.firstLine
  }
}
