// Errors of MPI calls, and the one funnel through which every call goes.
import CMPI

/// An MPI call that failed: its name, and what the library says of the code it returned.
public struct MPIError: Error, CustomStringConvertible, Sendable {
  /// As MPI names it: `MPI_Allreduce`.
  public let call: String
  /// What the call returned.
  public let code: Int32
  /// What MPI_Error_string says of it.
  public let message: String

  package init(call: String, code: Int32, message: String) {
    (self.call, self.code, self.message) = (call, code, message)
  }

  public var description: String { "\(call) failed: \(message) (MPI error \(code))" }
}

/// Throws when an MPI call's return code is not MPI_SUCCESS (MPI 3.1, section 8.4).
@inline(__always)
func check(_ code: Int32, _ call: StaticString) throws(MPIError) {
  if code != MPI_SUCCESS { throw mpiError(code, call) }
}

private func mpiError(_ code: Int32, _ call: StaticString) -> MPIError {
  var text = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING) + 1)
  var length: Int32 = 0
  MPI_Error_string(code, &text, &length)
  let message = String(decoding: text.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
  return MPIError(call: "\(call)", code: code, message: message)
}
