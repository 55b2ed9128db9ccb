// Who reads the data of a job of several servers.

/// `--data-from`: where the servers of a job have their examples from. It changes no bit.
public enum DataOrigin: String, Sendable, CaseIterable {
  /// The first rank of each server reads them.
  case each
  /// Rank 0 reads them, and sends them to the first rank of each other server.
  case rank0
}
