// `airfoil`: NASA's airfoil self-noise measurements, found on this machine or downloaded once.
import Glibc
import System
import Text

/// The file's name wherever it is looked for.
private let airfoilFile = "airfoil_self_noise.dat"
private let airfoilSHA1 = "76e5be1548fd8222e5074cf0faae75edff8cf93f"
/// The UCI archive, and the copy that the book d2l.ai uses.
package let airfoilURLs = [
  "https://archive.ics.uci.edu/ml/machine-learning-databases/00291/airfoil_self_noise.dat",
  "http://d2l-data.s3-accelerate.amazonaws.com/airfoil_self_noise.dat",
]

/// The path of `airfoil_self_noise.dat` where it can be had without a download: in the folder `$DISTSGD_DATA`,
/// else in the user's cache.
package func findAirfoil() -> String? {
  findAirfoil(environment: environmentValue)
}

package func findAirfoil(environment: (String) -> String?) -> String? {
  let folders = [environment("DISTSGD_DATA"), cacheFolder(environment)]
  return folders.compactMap { $0.map { "\($0)/\(airfoilFile)" } }.first { pathKind($0) == .file }
}

/// The file's path, downloading it into the user's cache where it is not on this machine.
///
/// - Throws: `noInput` when it is not here and cannot be downloaded.
package func fetchAirfoil() throws(DistsgdError) -> String {
  try fetchAirfoil(environment: environmentValue)
}

package func fetchAirfoil(
  environment: (String) -> String?, program: String = "curl", urls: [String] = airfoilURLs
) throws(DistsgdError) -> String {
  if let path = findAirfoil(environment: environment) { return path }
  let advice = "get \(airfoilURLs[0]) elsewhere and put it into the folder that $DISTSGD_DATA names"
  guard let folder = cacheFolder(environment) else {
    throw DistsgdError(.noInput, "\(airfoilFile) is not on this machine and $HOME is unset: \(advice)")
  }
  let path = "\(folder)/\(airfoilFile)"
  try download(urls, to: path, program: program, advice: advice) { (bytes) throws(DistsgdError) in
    try requireAirfoil(bytes, source: "the download")
  }
  return path
}

/// All 1,503 rows, with statistics over all of them.
func airfoilExamples(
  path: String, columns request: ColumnRequest
) throws(DistsgdError) -> RawExamples {
  let file = try FileBytes(path)
  defer { withExtendedLifetime(file) {} }
  try requireAirfoil(file.bytes, source: path)
  var raw = try readTable(
    file.bytes, source: printable(path, limit: 200),
    options: TableOptions(columns: request, names: airfoilColumns))
  raw.fixedStatistics = try ColumnStatistics(of: raw, includesTarget: true)
  raw.defaultExamples = min(1500, raw.count)
  return raw
}

private func requireAirfoil(
  _ bytes: UnsafeRawBufferPointer, source: String
) throws(DistsgdError) {
  let digest = sha1(bytes)
  guard digest == airfoilSHA1 else {
    throw DistsgdError(
      .badData,
      "\(printable(source, limit: 200)) has SHA-1 \(digest): expected \(airfoilSHA1); delete it and it is downloaded again"
    )
  }
}

/// The program's folder in the user's cache (XDG base directory specification).
private func cacheFolder(_ environment: (String) -> String?) -> String? {
  let base = environment("XDG_CACHE_HOME") ?? environment("HOME").map { "\($0)/.cache" }
  return base.map { "\($0)/distsgd" }
}
