// The function that libFuzzer calls, for the target that $FUZZ_TARGET names.
import FuzzTargets
import Glibc

nonisolated(unsafe) private let input = FuzzInput()

private let target: FuzzTarget = {
  guard let name = getenv("FUZZ_TARGET"), let target = FuzzTarget(rawValue: String(cString: name)) else {
    fatalError("FUZZ_TARGET is none of \(FuzzTarget.allCases.map(\.rawValue))")
  }
  return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  do {
    try input.with(UnsafeRawBufferPointer(start: start, count: count)) { try target.read($0) }
  } catch {
    fatalError("\(error)")
  }
  return 0
}
