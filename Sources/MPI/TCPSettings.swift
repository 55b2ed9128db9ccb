// What Open MPI's connections between servers are told before they are made.
import Glibc

/// Settings of Open MPI's TCP for messages of the size that buckets have.
///
/// By its own defaults Open MPI sends more than 64 KiB only when the receiver has answered, and that answer waits in line
/// behind all that is on its way in the other direction: over a busy link many milliseconds for each message. Messages up to
/// a megabyte are therefore sent at once; receivers have their memory ready. And a connection takes no more from its sender
/// than it can send soon: what is needed first would else wait behind megabytes that are needed later.
enum TCPSettings {
  private static let all = [
    ("eager_limit", 1 << 20), ("rndv_eager_limit", 1 << 20), ("max_send_size", 1 << 20),
    ("sndbuf", 256 << 10),
  ]

  /// Before MPI starts, in jobs of several servers or of who knows how many. What the user has set stays.
  static func set() {
    if let all = getenv("OMPI_COMM_WORLD_SIZE"), let local = getenv("OMPI_COMM_WORLD_LOCAL_SIZE"),
      strcmp(all, local) == 0
    {
      return
    }
    for (name, bytes) in all { setenv("OMPI_MCA_btl_tcp_\(name)", String(bytes), 0) }
  }
}
