// What the MPI library tells of itself.
import CMPI

/// The MPI that this program runs with.
package enum MPILibrary {
  /// Its own words, such as `Open MPI v4.1.4, …`; may be asked before MPI is started (MPI 3.1, section 8.1.1).
  package static var words: String {
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_LIBRARY_VERSION_STRING) + 1)
    var length: Int32 = 0
    guard MPI_Get_library_version(&text, &length) == MPI_SUCCESS else { return "unknown" }
    // Some count the zero at the end.
    let bytes = text.prefix(Int(length)).prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The standard that it follows: `3.1`.
  package static var standard: String {
    var (version, part): (Int32, Int32) = (0, 0)
    guard MPI_Get_version(&version, &part) == MPI_SUCCESS else { return "unknown" }
    return "\(version).\(part)"
  }

  /// Which threads may talk to it (MPI 3.1, section 12.4.3); nil where it has not been started.
  package static var threadLevel: String? {
    var (isStarted, level): (Int32, Int32) = (0, 0)
    guard MPI_Initialized(&isStarted) == MPI_SUCCESS, isStarted != 0,
      MPI_Query_thread(&level) == MPI_SUCCESS
    else { return nil }
    switch level {
    case Int32(MPI_THREAD_SINGLE): return "MPI_THREAD_SINGLE"
    case Int32(MPI_THREAD_FUNNELED): return "MPI_THREAD_FUNNELED"
    case Int32(MPI_THREAD_SERIALIZED): return "MPI_THREAD_SERIALIZED"
    default: return "MPI_THREAD_MULTIPLE"
    }
  }
}
