// A graph as the bytes of an .onnx file. Of ONNX's messages (onnx.proto) these fields are used:
//
//     message ModelProto      { int64 ir_version = 1; string producer_name = 2, producer_version = 3; GraphProto graph = 7;
//                               repeated OperatorSet opset_import = 8; repeated Entry metadata_props = 14; }
//     message OperatorSet     { string domain = 1; int64 version = 2; }
//     message Entry           { string key = 1, value = 2; }
//     message GraphProto      { repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5;
//                               repeated ValueInfo input = 11, output = 12; }
//     message NodeProto       { repeated string input = 1, output = 2; string name = 3, op_type = 4;
//                               repeated Attribute attribute = 5; string domain = 7; }
//     message Attribute       { string name = 1; float f = 2; int64 i = 3; repeated int64 ints = 8;
//                               repeated bytes strings = 9; Type type = 20; }       Type: FLOAT = 1, INT = 2, INTS = 7, STRINGS = 8
//     message TensorProto     { repeated int64 dims = 1; int32 data_type = 2; repeated bytes string_data = 6;
//                               string name = 8; bytes raw_data = 9; }
//     message ValueInfo       { string name = 1; TypeProto type = 2; }
//     message TypeProto       { Tensor tensor_type = 1; }
//     message Tensor          { int32 elem_type = 1; TensorShape shape = 2; }
//     message TensorShape     { repeated Dimension dim = 1; }
//     message Dimension       { int64 dim_value = 1; string dim_param = 2; }
import System

extension Graph {
  /// ONNX 1.12's.
  private static let irVersion = 8
  private static let operators = [("", 17), ("ai.onnx.ml", 3)]

  /// What a protocol buffer may have at most.
  private static let maximumBytes = 1 << 31 - 1

  /// The bytes of a file.
  /// - Parameters:
  ///   - producer: the program and its version.
  ///   - metadata: told with the model, in this order.
  /// - Throws: `ExportError` where they are more than such a file may have.
  package func onnx(
    producer: (name: String, version: String), name: String, metadata: [(String, String)]
  ) throws(ExportError) -> [UInt8] {
    let size = constants.reduce(0) { $0 + $1.bytes.count }
    guard size < Self.maximumBytes - 1 << 20 else {
      throw ExportError("an ONNX file holds at most 2 GB, and the parameters take \(size) bytes")
    }
    var model = ProtocolBuffer()
    model.add(1, Self.irVersion)
    model.add(2, producer.name)
    model.add(3, producer.version)
    model.add(7) { graph in
      for node in nodes { graph.add(1, node.message) }
      graph.add(2, name)
      for constant in constants { graph.add(5, constant.message) }
      for value in inputs { graph.add(11, value.message) }
      for value in outputs { graph.add(12, value.message) }
    }
    for (domain, version) in Self.operators {
      model.add(8) {
        $0.add(1, domain)
        $0.add(2, version)
      }
    }
    for (key, value) in metadata {
      model.add(14) {
        $0.add(1, key)
        $0.add(2, value)
      }
    }
    return model.bytes
  }
}

extension Graph.Node {
  fileprivate func message(_ node: inout ProtocolBuffer) {
    for input in inputs { node.add(1, input) }
    node.add(2, output)
    node.add(3, output)
    node.add(4, type)
    for (name, value) in attributes {
      node.add(5) { attribute in
        attribute.add(1, name)
        switch value {
        case .float(let value):
          attribute.add(2, value)
          attribute.add(20, 1)
        case .int(let value):
          attribute.add(3, value)
          attribute.add(20, 2)
        case .ints(let values):
          for value in values { attribute.add(8, value) }
          attribute.add(20, 7)
        case .strings(let values):
          for value in values { attribute.add(9, value) }
          attribute.add(20, 8)
        }
      }
    }
    if !domain.isEmpty { node.add(7, domain) }
  }
}

extension Graph.Constant {
  fileprivate func message(_ tensor: inout ProtocolBuffer) {
    for size in shape { tensor.add(1, size) }
    tensor.add(2, element.rawValue)
    for text in texts { tensor.add(6, text) }
    tensor.add(8, name)
    if element != .string { tensor.add(9, bytes) }
  }
}

extension Graph.Value {
  fileprivate func message(_ value: inout ProtocolBuffer) {
    value.add(1, name)
    value.add(2) { type in
      type.add(1) { tensor in
        tensor.add(1, element.rawValue)
        tensor.add(2) { shape in
          for size in self.shape {
            shape.add(1) { if let size { $0.add(1, size) } else { $0.add(2, "examples") } }
          }
        }
      }
    }
  }
}
