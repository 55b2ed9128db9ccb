// Which MPI datatype a Swift scalar travels as.
import CMPI

/// A scalar that MPI can send (MPI 3.1, section 3.2.2).
public protocol MPIScalar: BitwiseCopyable {
  /// The handle, valid while MPI runs.
  static var datatype: MPI_Datatype? { get }
}

extension UInt8: MPIScalar { public static var datatype: MPI_Datatype? { cmpi_byte() } }
extension UInt16: MPIScalar { public static var datatype: MPI_Datatype? { cmpi_uint16() } }
extension Float: MPIScalar { public static var datatype: MPI_Datatype? { cmpi_float() } }
extension Double: MPIScalar { public static var datatype: MPI_Datatype? { cmpi_double() } }
extension Int32: MPIScalar { public static var datatype: MPI_Datatype? { cmpi_int32() } }
extension Int: MPIScalar { public static var datatype: MPI_Datatype? { cmpi_int64() } }
extension UInt64: MPIScalar { public static var datatype: MPI_Datatype? { cmpi_uint64() } }

/// How an all-reduce combines values (MPI 3.1, section 5.9.2).
public enum ReduceOperation: Sendable {
  /// Sums of floats have no order that MPI promises.
  case sum, minimum, maximum

  var handle: MPI_Op? {
    switch self {
    case .sum: cmpi_sum()
    case .minimum: cmpi_minimum()
    case .maximum: cmpi_maximum()
    }
  }
}
