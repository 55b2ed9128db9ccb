// What the Open MPI at hand has been built with, told by the files that lie beside its library.
import Glibc
import System

package enum OpenMPIParts {
  /// Whether its processes can be started by way of PMI-1 or PMI-2; nil where its parts are not to be seen.
  package static var speaksOldPMI: Bool? {
    textOfSystemFile("/proc/self/maps").flatMap { folder(ofLibraryIn: $0) }.flatMap { speaksOldPMI(in: $0) }
  }

  /// - Parameter folder: the library's. Parts lie below it as `mca_pmix_….so`; Debian has a folder for them by version.
  package static func speaksOldPMI(in folder: String) -> Bool? {
    for parts in ["openmpi", "openmpi3", "openmpi/lib/openmpi", "openmpi/lib/openmpi3"] {
      let names = namesInFolder(opendir(folder + "/" + parts)).filter { $0.hasPrefix("mca_pmix_") }
      if !names.isEmpty {
        return names.contains { $0.hasPrefix("mca_pmix_s1.") || $0.hasPrefix("mca_pmix_s2.") }
      }
    }
    return nil
  }

  /// - Parameter maps: what proc(5) says of this process's memory; a file's path, without links, ends its line.
  package static func folder(ofLibraryIn maps: String) -> String? {
    for line in maps.split(separator: "\n") {
      guard let start = line.firstIndex(of: "/") else { continue }
      let path = line[start...]
      if baseName(String(path)).hasPrefix("libmpi.so"), let end = path.lastIndex(of: "/") {
        return String(path[..<end])
      }
    }
    return nil
  }
}
