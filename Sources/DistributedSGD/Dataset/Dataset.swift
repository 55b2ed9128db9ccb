// Examples as the training loop sees them: in memory that a server's ranks share, ready to be gathered.
import DataFormats
import MPI
import NeuralNet
import System
import Text

/// A data set that every rank of a server sees, held once per server.
public final class Dataset {
  package enum Features {
    case float32(UnsafePointer<Float>)
    case uint8(UnsafePointer<UInt8>, scale: Float)
  }

  /// Examples.
  public let count: Int
  /// Inputs of one example.
  public let featureCount: Int
  /// Of one example.
  public let exampleShape: NeuralNet.Shape
  /// The number of classes, or nil for regression.
  public let classCount: Int?
  /// Shape (count, featureCount).
  package let features: Features
  /// Where the features are, if they stay in their file.
  package let mapping: MappedFile?
  /// Whether that file has been made for them alone, because memory does not hold them.
  package let isCached: Bool
  /// Whether they are, where they were read, in a file of the user's, which may be larger than anybody wants to read
  /// before it is needed.
  package let areInUsersFile: Bool
  /// Numbers that are predicted of one example; 1 for classes.
  public let targetCount: Int
  /// Shape (count, targetCount); `Float` values, or `Int32` labels where there are classes. Both take four bytes.
  package let targetMemory: UnsafeRawPointer
  /// How much each example counts, shape (count); nil where all are 1.
  package let weights: UnsafePointer<Float>?

  /// Places examples in shared memory. Collective over all ranks.
  /// - Parameter examples: on the first rank of each server, what it has loaded; nil on the others.
  /// - Throws: `AgreedError` when their counts or labels contradict each other, or the memory does not hold them;
  ///   `MPIError`.
  public convenience init(sharing examples: Examples?, over communicator: any Communicator) throws {
    try self.init(sharing: examples, from: .each, over: communicator)
  }

  /// The same.
  /// - Parameters:
  ///   - examples: nil on the ranks that have not read them.
  ///   - origin: which ranks have; what rank 0 alone has read is sent to the other servers.
  package init(
    sharing examples: Examples?, from origin: DataOrigin, over communicator: any Communicator
  ) throws {
    try communicator.agreeingOnErrors { try examples?.requireConsistency() }
    let sender = origin == .rank0 ? try SentBytes(over: communicator) : nil
    // The shape is the same on all servers: rank 0, the first rank of its own, tells it.
    var shape = Shape(examples)
    try withUnsafeMutableBytesThrowing(of: &shape) { (bytes) throws(MPIError) in
      try communicator.broadcast(bytes.assumingMemoryBound(to: UInt8.self), from: 0)
    }
    // What is as long elsewhere has a fingerprint that tells whether it is the same; what is longer has no room here.
    try communicator.agreeingOnErrors {
      guard examples != nil, case let own = Shape(examples).words, own != shape.words else { return }
      throw DistsgdError(
        .badData,
        "the data on \(communicator.hostName) are \(own), and those on \(communicator.topology.hosts[0]) \(shape.words): give every server the same file"
      )
    }
    count = shape.count
    featureCount = shape.featureCount
    exampleShape = shape.exampleShape
    classCount = shape.classCount > 0 ? shape.classCount : nil
    targetCount = shape.targetCount
    // Features that stay in their file are seen by every rank through a mapping of its own. One server may have memory
    // for what another keeps in a file.
    let mappedBytes = count * featureCount * (shape.isBytes ? 1 : MemoryLayout<Float>.stride)
    let isReceiver = sender != nil && communicator.rank != 0 && communicator.isServerLeader
    let received = try communicator.agreeingOnErrors { () -> UnnamedFile? in
      guard isReceiver,
        shape.isCached || shape.isMapped && CacheFileChoice.auto.usesFile(for: Double(mappedBytes))
      else { return nil }
      return try UnnamedFile(byteCount: mappedBytes, for: "what rank 0 has read")
    }
    let mapped = examples?.mapped ?? received.map { MappedFeatures($0) }
    let isMappedHere = try communicator.allocateShared(byteCount: 1)
    if communicator.isServerLeader { isMappedHere.storeBytes(of: mapped != nil, as: Bool.self) }
    try communicator.barrier()
    let isMapped = isMappedHere.load(as: Bool.self)
    let featureBytes = isMapped ? PathMemory.byteCount : mappedBytes
    // Padding, so that the last row can be loaded as a whole vector.
    let targetOffset = (featureBytes + 4 * BatchBuffer.padding + 63) / 64 * 64
    let weightOffset = targetOffset + 4 * count * targetCount
    let byteCount = weightOffset + (shape.hasWeights ? 4 * count : 0)
    try requireRoom(byteCount, count, featureCount, communicator)
    let memory = try communicator.allocateShared(byteCount: byteCount)
    preferLargePages(UnsafeMutableRawBufferPointer(start: memory, count: byteCount))
    targetMemory = UnsafeRawPointer(memory + targetOffset)
    weights =
      shape.hasWeights ? UnsafePointer((memory + weightOffset).assumingMemoryBound(to: Float.self)) : nil
    if let examples {
      switch examples.features {
      case .float32(let values): values.withUnsafeBytes { copy($0, to: memory) }
      case .uint8(let bytes, _): bytes.withUnsafeBytes { copy($0, to: memory) }
      }
      switch examples.targets {
      case .values(let values): values.withUnsafeBytes { copy($0, to: memory + targetOffset) }
      case .labels(let labels, _): labels.withUnsafeBytes { copy($0, to: memory + targetOffset) }
      }
      if shape.hasWeights { examples.weights?.withUnsafeBytes { copy($0, to: memory + weightOffset) } }
    }
    if let mapped { PathMemory.write(mapped, to: memory) }
    try communicator.barrier()
    let mapping = try communicator.agreeingOnErrors { () -> MappedFile? in
      guard isMapped else { return nil }
      let (path, offset, _) = PathMemory.read(memory)
      return try MappedFile(path, offset: offset, count: mappedBytes)
    }
    self.mapping = mapping
    isCached = isMapped && PathMemory.read(memory).isCached
    areInUsersFile = sender == nil ? isMapped && !isCached : shape.isMapped && !shape.isCached
    if let sender {
      let features =
        received?.bytes
        ?? UnsafeMutableRawBufferPointer(
          start: mapping.map { UnsafeMutableRawPointer(mutating: $0.bytes.baseAddress!) } ?? memory,
          count: mappedBytes)
      try sender.send(features, from: communicator.rank == 0 ? mapping : nil, into: received)
      try sender.send(
        UnsafeMutableRawBufferPointer(start: memory + targetOffset, count: byteCount - targetOffset))
      try sender.close()
      // The other ranks sleep meanwhile.
      try communicator.sleepingBarrier()
    }
    // A file without a name is there until every rank has it.
    withExtendedLifetime((examples, received)) {}
    let start = mapping?.bytes.baseAddress ?? UnsafeRawPointer(memory)
    features =
      shape.isBytes
      ? .uint8(start.assumingMemoryBound(to: UInt8.self), scale: shape.scale)
      : .float32(start.assumingMemoryBound(to: Float.self))
  }

  /// A copy of the inputs, shape (count, featureCount): for programs that do the rest themselves.
  public var inputs: [Float] {
    let all = count * featureCount
    switch features {
    case .float32(let values): return Array(UnsafeBufferPointer(start: values, count: all))
    case .uint8(let bytes, let scale):
      return UnsafeBufferPointer(start: bytes, count: all).map { Float($0) * scale }
    }
  }

  /// A copy of the targets, shape (count, targetCount): values, or the classes' numbers.
  public var targets: [Float] {
    let memory = UnsafeRawBufferPointer(start: targetMemory, count: 4 * count * targetCount)
    return classCount == nil
      ? Array(memory.bindMemory(to: Float.self)) : memory.bindMemory(to: Int32.self).map(Float.init)
  }

  /// The largest size of an input, and of a target that is a number, of the first 10,000 examples.
  package func largest() -> (input: Float, target: Float) {
    let rows = min(count, 10_000)
    var (input, target): (Float, Float) = (0, 0)
    if case .float32(let values) = features {
      for index in 0..<rows * featureCount { input = max(input, abs(values[index])) }
    }
    if classCount == nil {
      let values = targetMemory.assumingMemoryBound(to: Float.self)
      for index in 0..<rows * targetCount { target = max(target, abs(values[index])) }
    }
    return (input, target)
  }

  /// What the ranks that did not load need to know.
  private struct Shape: BitwiseCopyable {
    var count = 0
    var featureCount = 0
    var classCount = 0
    var scale: Float = 1
    var isBytes = false
    var targetCount = 1
    var hasWeights = false
    /// Whether the inputs are in a file, and in one that has been made for them alone.
    var isMapped = false
    var isCached = false
    /// Channels, height, width; zeros where an example is a row of numbers.
    var image = (0, 0, 0)

    /// What must be the same on all servers.
    var words: String {
      let kind = (isBytes ? "bytes times \(scale)" : "numbers") + (hasWeights ? ", with weights" : "")
      return "\(counted(count, "example")) of \(exampleShape) \(kind) and "
        + (classCount > 0 ? "\(counted(classCount, "class"))" : counted(targetCount, "target"))
    }

    var exampleShape: NeuralNet.Shape {
      image.0 == 0 ? NeuralNet.Shape(max(1, featureCount)) : NeuralNet.Shape(image.0, image.1, image.2)
    }

    init(_ examples: Examples?) {
      guard let examples else { return }
      count = examples.count
      featureCount = examples.featureCount
      targetCount = examples.targetCount
      isMapped = examples.mapped != nil
      isCached = examples.mapped?.isCache ?? false
      hasWeights = examples.weights?.contains { $0 != 1 } ?? false
      if case let sizes = examples.exampleShape, sizes.count == 3, sizes.reduce(1, *) == featureCount {
        image = (sizes[0], sizes[1], sizes[2])
      }
      if case .labels(_, let classes) = examples.targets { classCount = classes }
      if case .uint8(_, let factor) = examples.features {
        isBytes = true
        scale = factor
      }
    }
  }
}

/// Which file the ranks of a server map, in the memory that they share.
private enum PathMemory {
  /// The longest path, the offset, the path's length, and whether the file is a cache.
  static let byteCount = 24 + (1 << 12)

  static func write(_ mapped: MappedFeatures, to memory: UnsafeMutableRawPointer) {
    let path = Array(mapped.path.utf8.prefix(byteCount - 24))
    memory.storeBytes(of: mapped.offset, as: Int.self)
    memory.storeBytes(of: path.count, toByteOffset: 8, as: Int.self)
    memory.storeBytes(of: mapped.isCache, toByteOffset: 16, as: Bool.self)
    path.withUnsafeBytes { (memory + 24).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
  }

  static func read(_ memory: UnsafeRawPointer) -> (path: String, offset: Int, isCached: Bool) {
    let path = UnsafeRawBufferPointer(start: memory + 24, count: memory.load(fromByteOffset: 8, as: Int.self))
    return (
      String(decoding: path, as: UTF8.self), memory.load(as: Int.self),
      memory.load(fromByteOffset: 16, as: Bool.self)
    )
  }
}

/// Collective. Every rank maps all of the memory, which is there once.
private func requireRoom(
  _ bytes: Int, _ count: Int, _ featureCount: Int, _ communicator: any Communicator
) throws {
  try communicator.agreeingOnErrors {
    try requireMemory(bytes: Double(bytes), for: "a set of \(count) examples with \(featureCount) inputs")
  }
}

/// A copy on several cores, which share the work of giving new memory its pages.
private func copy(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) {
  inParallel(over: source.count, least: 1 << 20) { range in
    (target + range.lowerBound).copyMemory(
      from: source.baseAddress! + range.lowerBound, byteCount: range.count)
  }
}

private func withUnsafeMutableBytesThrowing<Value: BitwiseCopyable>(
  of value: inout Value, _ body: (UnsafeMutableRawBufferPointer) throws(MPIError) -> Void
) throws(MPIError) {
  let copy = UnsafeMutablePointer<Value>.allocate(capacity: 1)
  defer { copy.deallocate() }
  copy.initialize(to: value)
  try body(UnsafeMutableRawBufferPointer(start: copy, count: MemoryLayout<Value>.size))
  value = copy.pointee
}
