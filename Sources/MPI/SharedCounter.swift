// A number that the ranks of a server count up together: who takes the next piece of work.
import CMPI

/// Counts from 0; every number goes to one rank.
package final class SharedCounter {
  private let count: UnsafeMutablePointer<UInt32>

  /// Collective. The memory lives as long as the communicator.
  /// - Precondition: all ranks are on one server.
  package init(over communicator: any Communicator) throws(MPIError) {
    precondition(communicator.topology.serverCount == 1)
    count = try communicator.allocateShared(byteCount: 64).assumingMemoryBound(to: UInt32.self)
  }

  /// The next number.
  package func next() -> Int { Int(cmpi_fetch_add(count, 1)) }

  /// All further numbers are larger than any that is of use.
  package func exhaust() { _ = cmpi_fetch_add(count, 1 << 30) }
}
