// What the bits of a rank's results depend on beside its command, and whether all ranks have it in common.
import CKernels
import MPI
import NeuralNet
import System
import Text

/// Something that rounds: its entry in a file's metadata, what it is called, which one this process has, and how all can
/// have the same.
struct Rounding {
  let key: String
  let name: String
  let value: String
  let remedy: String
}

/// In the order in which one explains the next: OpenBLAS's configuration names its kernel too.
func roundings(_ arithmetic: ArithmeticName, _ first: (Int) -> String = { _ in "" }) -> [Rounding] {
  let distsgd = Rounding(
    key: "producer", name: "the program", value: ModelFile.producer,
    remedy: "install the same distsgd on all servers")
  // Its bits depend on no library and no processor.
  if arithmetic == .portable {
    return [
      Rounding(
        key: "arithmeticVersion", name: "the portable arithmetic of version",
        value: "\(Arithmetic.portableVersion)",
        remedy: "install the same distsgd on all servers"), distsgd,
    ]
  }
  return [
    Rounding(
      key: "blasKernel", name: "the OpenBLAS kernel", value: BLAS.kernelName,
      remedy: "set OPENBLAS_CORETYPE=\(first(0)) for all ranks"),
    Rounding(
      key: "blas", name: "the BLAS", value: BLAS.configuration,
      remedy: "install the same OpenBLAS on all servers"),
    Rounding(
      key: "vectors", name: "kernels of", value: vectorWidth,
      remedy: "give the job servers of one kind of processor"),
    Rounding(
      key: "mathematics", name: "the mathematics library", value: mathematicsLibrary,
      remedy: "give all servers the same image, and processors of one kind"),
    distsgd,
  ]
}

/// Of CKernels' loops.
let vectorWidth = "\(ckernels_vector_bits()) bits"

/// glibc's version, and a hash of what its functions give: it too has variants for processors.
let mathematicsLibrary =
  "glibc \(String(cString: ckernels_mathematics_version())) (\(hexadecimal(ckernels_mathematics())))"

extension Communicator {
  /// Ranks that round differently would train a model that depends on who computes what. Collective.
  /// - Parameter acceptsOther: `--accept-other-kernel`.
  /// - Returns: whether some differ, and that is accepted.
  /// - Throws: `AgreedError` that names a rank, in what it differs from rank 0, and what to do.
  func requireSameArithmetic(_ arithmetic: ArithmeticName, acceptsOther: Bool) throws -> Bool {
    let own = roundings(arithmetic).map(\.value)
    let text = try broadcastString(own.joined(separator: "\0"), from: 0)
    let first = text.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
    try agreeingOnErrors {
      guard !acceptsOther, own != first else { return }
      let all = roundings(arithmetic) { $0 < first.count ? printable(first[$0]) : "" }
      guard let place = all.indices.first(where: { $0 >= first.count || first[$0] != own[$0] }) else {
        return
      }
      let other = place < first.count ? printable(first[place], limit: 200) : "none"
      throw DistsgdError(
        .usage,
        "rank \(rank) on \(hostName) has \(all[place].name) \(all[place].value), and rank 0 has \(other): the bits would depend on who computes what; \(all[place].remedy), or accept it with --accept-other-kernel"
      )
    }
    return try allReduce(own == first ? 0 : 1, .maximum) == 1
  }

  /// Checks, at the end, that no library has changed how any rank rounds. Collective.
  /// - Throws: `AgreedError`.
  func requireDefaultEnvironment() throws {
    try agreeingOnErrors {
      let deviation = FloatingPointEnvironment.deviation
      guard deviation != 0 else { return }
      throw DistsgdError(
        .internal,
        "rank \(rank) on \(hostName) computes with \(FloatingPointEnvironment.words(deviation)): a library has changed the floating-point environment during the run; see LD_PRELOAD and MPI's plugins, and train again"
      )
    }
  }

  /// Says once, on rank 0, that a library had changed the floating-point environment of some rank before it was set
  /// to the default. Collective.
  /// - Parameter found: what `FloatingPointEnvironment.setDefault` returned on this rank.
  package func tellEnvironment(found: Int) throws(MPIError) {
    let all = try allReduce(found, .maximum)
    guard all != 0, rank == 0 else { return }
    standardError(
      "distsgd: warning: a library had the program compute with \(FloatingPointEnvironment.words(all)); it is set to the default, so that the bits are the same as everywhere"
    )
  }
}

extension TrainingOptions {
  /// Different commands would train different models, or wait for each other for ever. Collective.
  /// - Returns: whether some ranks compute otherwise than others, and that is accepted.
  /// - Throws: `AgreedError` that names a rank and a setting in which it differs from rank 0.
  func requireSameSettings(over communicator: any Communicator) throws -> Bool {
    guard communicator.worldSize > 1 else { return false }
    let own = commonSettings
    let first = try communicator.broadcastString(own, from: 0)
    try communicator.agreeingOnErrors {
      guard own != first else { return }
      let others = Set(first.split(separator: "\0"))
      let differing = own.split(separator: "\0").first { !others.contains($0) }
      throw DistsgdError(
        .usage,
        "rank \(communicator.rank) on \(communicator.hostName) has \(differing.map { printable(String($0)) } ?? "fewer settings"), and rank 0 has not: every rank must have the same command"
      )
    }
    return try communicator.requireSameArithmetic(arithmetic, acceptsOther: acceptsOtherKernel)
  }
}
