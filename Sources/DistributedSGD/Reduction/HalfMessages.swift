// Sums and steps on their way between servers in 16 bits each.
import MPI
import NeuralNet

/// The memory of messages in 16 bits: sums as in the exchange's memory, steps as in the arena.
struct HalfMemory {
  let sums: UnsafeMutablePointer<UInt16>
  let steps: UnsafeMutablePointer<UInt16>
}

/// What goes into some messages or comes out of them.
struct HalfParts {
  private let format: GradientFormat
  private let parts: [(bits: UnsafeMutablePointer<UInt16>, floats: UnsafeMutablePointer<Float>, count: Int)]

  /// Parts at some places of both memories.
  init(
    _ messages: [ExchangePlan.Message], _ format: GradientFormat, _ bits: UnsafeMutablePointer<UInt16>,
    _ floats: UnsafeMutablePointer<Float>
  ) {
    self.format = format
    parts = messages.map { (bits + $0.offset, floats + $0.offset, $0.count) }
  }

  /// Sums that are about to go.
  func pack() { for part in parts { format.pack(part.bits, part.floats, part.count) } }

  /// Sums that have come.
  func unpack() { for part in parts { format.unpack(part.floats, part.bits, part.count) } }

  /// Has the parameters take steps that have come.
  func follow() { for part in parts { format.follow(part.floats, part.bits, part.count) } }
}
