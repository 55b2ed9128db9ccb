// swift-tools-version: 6.0
import PackageDescription

/// The targets in the order in which data flows: C libraries, communication and learning (which
/// never see each other), the subject that joins them, and the command line.
let package = Package(
  name: "distsgd",
  products: [
    .executable(name: "distsgd", targets: ["distsgd"]),
    .library(name: "DistributedSGD", targets: ["DistributedSGD"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    .systemLibrary(
      name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev", "openmpi-bin"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CBandwidth"),
    .target(name: "CSignals"),
    .target(name: "CSockets"),
    .target(name: "Text"),
    .target(name: "MPI", dependencies: ["CMPI"]),
    .target(name: "CKernels"),
    .target(name: "CAffinity"),
    .target(name: "NeuralNet", dependencies: ["COpenBLAS", "CKernels"]),
    .target(name: "Plot", dependencies: ["Text"]),
    .target(
      name: "DistributedSGD",
      dependencies: [
        "MPI", "NeuralNet", "Plot", "Text", "CAffinity", "CKernels", "CSignals", "CSockets", "CZlib",
        "CBandwidth",
      ]),
    .executableTarget(
      name: "distsgd",
      dependencies: [
        "DistributedSGD", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(
      name: "from-scratch", dependencies: ["DistributedSGD", "MPI", "NeuralNet"],
      path: "Sources/Examples/FromScratch"),
    .executableTarget(
      name: "concise", dependencies: ["DistributedSGD", "NeuralNet"], path: "Sources/Examples/Concise"),
    .testTarget(name: "DataTests", dependencies: ["DistributedSGD", "NeuralNet", "TestSupport"]),
    .testTarget(name: "FilesTests", dependencies: ["DistributedSGD", "Text"]),
    .testTarget(name: "BenchTests", dependencies: ["DistributedSGD", "MPI", "NeuralNet"]),
    .testTarget(name: "MPITests", dependencies: ["MPI"]),
    .testTarget(name: "PlotTests", dependencies: ["Plot"]),
    .testTarget(name: "TestbedTests", dependencies: ["DistributedSGD"]),
    .target(
      name: "TestSupport", dependencies: ["DistributedSGD", "MPI", "NeuralNet"], path: "Tests/TestSupport"),
    .testTarget(
      name: "NeuralNetTests", dependencies: ["CKernels", "DistributedSGD", "NeuralNet", "TestSupport"]),
    .testTarget(
      name: "TrainingTests", dependencies: ["CSockets", "DistributedSGD", "MPI", "NeuralNet", "TestSupport"]),
    .executableTarget(
      name: "own-job", dependencies: ["DistributedSGD", "NeuralNet", "TestSupport"], path: "Tests/OwnJob"),
    .testTarget(name: "JobTests", dependencies: ["DistributedSGD", "TestSupport"]),
    .target(
      name: "FuzzTargets", dependencies: ["DistributedSGD", "MPI", "NeuralNet", "TestSupport", "Text"],
      path: "Tests/Fuzz/Targets"),
    .testTarget(
      name: "CorpusTests", dependencies: ["FuzzTargets", "TestSupport"], path: "Tests/Fuzz/CorpusTests"),
  ],
  swiftLanguageModes: [.v6]
)

// libFuzzer has the main function of this program, which Tests/Fuzz/run alone builds.
if Context.environment["DISTSGD_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Program"))
}
