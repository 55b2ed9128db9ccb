// Sets that come in parts.

/// A part of an archive, or of a folder, that holds examples to train on and others to test with.
enum ArchivePart { case training, test }
