// Numbers in double precision: in memory, or in a file where memory does not hold those of a table.
import System

/// `--cache-file`: where a table's numbers are until they are the inputs of a model, and as these.
public enum CacheFileChoice: String, Sendable, CaseIterable {
  /// In a file where they would take more than half of the memory that there is.
  case auto
  /// In a file.
  case yes
  /// In memory.
  case no

  /// - Parameter bytes: that reading takes at its peak.
  package func usesFile(for bytes: Double) -> Bool {
    switch self {
    case .yes: true
    case .no: false
    // Most take little, and need not ask the system.
    case .auto: bytes > 1e6 && bytes > MemoryLimit.ofMachine().total / 2
    }
  }
}

/// Numbers of any rows; what is made of numbers in a file is in a file too.
struct Numbers: RandomAccessCollection, @unchecked Sendable {
  // Unchecked: a file's bytes, and reserved memory's, change in `update` alone, which nobody else has part in.
  /// Empty where they are elsewhere.
  private(set) var array: [Double] = []
  private var file: UnnamedFile?
  private var reserved: ReservedMemory?
  /// What is in the file or the reserved memory.
  private var outside: UnsafeMutableBufferPointer<Double>?
  private(set) var count: Int

  init(_ array: [Double]) {
    self.array = array
    count = array.count
  }

  /// The first numbers of memory that they are alone in.
  init(_ reserved: ReservedMemory, count: Int) {
    self.reserved = reserved
    self.count = count
    outside = UnsafeMutableBufferPointer(rebasing: reserved.bytes.bindMemory(to: Double.self)[..<count])
  }

  /// - Parameters:
  ///   - capacity: the most numbers that `fill` may leave.
  ///   - inFile: whether they are kept in a file.
  ///   - source: for messages.
  ///   - fill: sets how many there are.
  /// - Throws: as `UnnamedFile`.
  init(
    capacity: Int, inFile: Bool, source: String,
    fill: (UnsafeMutableBufferPointer<Double>, inout Int) -> Void
  ) throws(DistsgdError) {
    count = 0
    guard inFile else {
      array = [Double](unsafeUninitializedCapacity: capacity) { fill($0, &$1) }
      count = array.count
      return
    }
    let file = try UnnamedFile(byteCount: 8 * capacity, for: source)
    let numbers = file.bytes.bindMemory(to: Double.self)
    fill(numbers, &count)
    self.file = file
    outside = UnsafeMutableBufferPointer(rebasing: numbers[..<count])
  }

  var isInFile: Bool { file != nil }
  var startIndex: Int { 0 }
  var endIndex: Int { count }

  subscript(place: Int) -> Double {
    guard let outside else { return array[place] }
    precondition(place >= 0 && place < count)
    return outside[place]
  }

  func withUnsafeBufferPointer<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Double>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let outside else { return try array.withUnsafeBufferPointer(body) }
    defer { file?.release() }
    return try withExtendedLifetime(reserved) { () throws(Failure) in
      try body(UnsafeBufferPointer(rebasing: outside[..<count]))
    }
  }

  /// The first numbers alone.
  func prefix(_ count: Int) -> Numbers {
    var result = self
    if outside == nil { result.array = Array(array[..<count]) }
    result.count = count
    return result
  }

  /// The rows with these numbers, in this order.
  func rows(_ rows: [Int], width: Int, source: String) throws(DistsgdError) -> Numbers {
    try Numbers(capacity: rows.count * width, inFile: isInFile, source: source) { buffer, initialized in
      withUnsafeBufferPointer { numbers in
        guard let from = numbers.baseAddress, let to = buffer.baseAddress, width > 0 else { return }
        for (position, row) in rows.enumerated() {
          (to + position * width).initialize(from: from + row * width, count: width)
        }
      }
      initialized = rows.count * width
    }
  }

  /// Changes numbers where they are, if nobody else has them.
  mutating func update(
    source: String, _ body: (UnsafeMutableBufferPointer<Double>) -> Void
  ) throws(DistsgdError) {
    if outside != nil, !isKnownUniquelyReferenced(&file), !isKnownUniquelyReferenced(&reserved) {
      self = try Numbers(capacity: count, inFile: isInFile, source: source) { buffer, initialized in
        withUnsafeBufferPointer { initialized = buffer.initialize(fromContentsOf: $0) }
      }
    }
    guard let outside else { return array.withUnsafeMutableBufferPointer { body($0) } }
    body(UnsafeMutableBufferPointer(rebasing: outside[..<count]))
    file?.release()
  }
}

/// A model's inputs, in memory or in a file.
struct Inputs {
  /// Empty where they are in a file.
  var values: [Float] = []
  var mapped: MappedFeatures?
  /// The place of the first that is no finite number.
  var overflow: Int?

  /// - Parameters:
  ///   - inFile: whether they are kept in a file.
  ///   - source: for messages.
  ///   - fill: writes all of them.
  /// - Throws: as `UnnamedFile`.
  init(
    count: Int, inFile: Bool, source: String, fill: (UnsafeMutableBufferPointer<Float>) -> Void
  ) throws(DistsgdError) {
    guard inFile else {
      values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
        preferLargePages(UnsafeMutableRawBufferPointer(buffer))
        fill(buffer)
        initialized = count
      }
      overflow = values.firstIndex { !$0.isFinite }
      return
    }
    let file = try UnnamedFile(byteCount: 4 * count, for: source)
    let buffer = file.bytes.bindMemory(to: Float.self)
    fill(buffer)
    overflow = buffer.firstIndex { !$0.isFinite }
    file.release()
    mapped = MappedFeatures(file)
  }
}
