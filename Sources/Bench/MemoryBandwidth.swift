// How fast one core moves memory that fits a cache, and memory that fits none: STREAM's loops (McCalpin 1995)
// over working sets of chosen sizes.
import CBandwidth
import Glibc
import System

/// The bandwidth of one core over one working set.
package struct BandwidthMeasurement: Sendable {
  /// `L1`, `L2`, `L3`, `DRAM`.
  package let level: String
  /// Bytes of the working set, all streams together.
  package let bytes: Int
  /// GB/s of a loop that only reads, two streams; of a[i] = b[i]; of a[i] = b[i] + s·c[i]. As in STREAM, what a store makes
  /// the processor read first is not counted.
  package let read, copy, triad: Rate

  /// The most that any of the loops has reached: as in STREAM, the best time counts.
  package var best: Double { max(read.greatest, copy.greatest, triad.greatest) }
}

/// Memory to measure in, and vectors as wide as the processor has.
struct MemoryBandwidth {
  private let vectorBytes: Int32
  private let samples: Int

  init(vectors: VectorExtension, samples: Int) {
    vectorBytes = Int32(min(vectors.name == "AVX" ? 16 : vectors.bits / 8, 64))
    self.samples = samples
  }

  /// Working sets of half of each cache, and of four times the last one (at most a quarter of the memory).
  static func workingSets(_ caches: [Cache]) -> [(level: String, bytes: Int)] {
    let known = caches.isEmpty ? [Cache(level: 1, bytes: 32 << 10, sharedBy: 1)] : caches
    let memory = max(sysconf(Int32(_SC_PHYS_PAGES)), 1 << 16) * max(sysconf(Int32(_SC_PAGESIZE)), 4096)
    let last = max(known[known.count - 1].bytes, 16 << 20)
    return known.map { ("L\($0.level)", $0.bytes / 2) } + [("DRAM", min(4 * last, memory / 4))]
  }

  func measure(level: String, bytes: Int) -> BandwidthMeasurement {
    // Whole turns of the unrolled loops.
    let block = 4 * Int(vectorBytes) / 4
    func streams(_ count: Int) -> Int { max(bytes / 4 / count / block, 1) * block }
    let width = vectorBytes
    let half = streams(2)
    let third = streams(3)
    let floats = max(2 * half, 3 * third)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 4 * floats, alignment: 4096)
    defer { memory.deallocate() }
    let a = memory.initializeMemory(as: Float.self, repeating: 1, count: floats)
    var sum: Float = 0
    let timings = withUnsafeMutablePointer(to: &sum) { sum in
      time(
        [
          { sum.pointee += cbandwidth_read(width, a, a + half, half) },
          { cbandwidth_copy(width, a, a + half, half) },
          { cbandwidth_triad(width, a, a + third, a + 2 * third, 0.5, third) },
        ], samples: samples, minimumSeconds: RooflineBench.sampleSeconds)
    }
    return BandwidthMeasurement(
      level: level, bytes: bytes, read: Rate(Double(8 * half), in: timings[0]),
      copy: Rate(Double(8 * half), in: timings[1]), triad: Rate(Double(12 * third), in: timings[2]))
  }
}
