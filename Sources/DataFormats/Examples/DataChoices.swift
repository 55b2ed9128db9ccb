// The words of options about tables.

/// `--header`.
public enum HeaderChoice: String, Sendable, CaseIterable {
  /// What the first rows look like.
  case auto
  /// The first row names the columns.
  case yes
  /// The first row is one of data.
  case no
}

/// `--missing`.
public enum MissingChoice: String, Sendable, CaseIterable {
  /// They are an error that tells how many there are.
  case error
  /// The rows that have any are left out.
  case drop
  /// A number becomes the mean, a text the most frequent one, of the training rows that have one; rows without a target
  /// are left out.
  case mean
}
