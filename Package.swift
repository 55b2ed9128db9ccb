// swift-tools-version: 6.0
import PackageDescription

/// The targets in the order in which data flows: C libraries, communication and learning (which
/// never see each other), the subject that joins them, and the command line.
let package = Package(
  name: "distsgd",
  products: [
    .executable(name: "distsgd", targets: ["distsgd"]),
    .library(name: "NeuralNet", targets: ["NeuralNet"]),
    .library(name: "MPI", targets: ["MPI"]),
    .library(name: "DistributedSGD", targets: ["DistributedSGD", "DataFormats", "RandomNumbers"]),
    .library(name: "Runs", targets: ["Runs"]),
    .library(name: "Commands", targets: ["Commands"]),
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
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
    .target(
      name: "CImages", dependencies: ["CJPEG", "CPNG"],
      linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png")]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CBandwidth"),
    .target(name: "CAffinity"),
    .target(name: "CArchive", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(name: "CKernels"),
    .target(name: "CSignals"),
    .target(name: "CSockets"),
    .target(name: "Text"),
    .target(name: "Plot", dependencies: ["Text"]),
    .target(name: "Report", dependencies: ["Plot", "System", "Text"]),
    .target(name: "RandomNumbers"),
    .target(name: "System", dependencies: ["CAffinity", "CKernels", "CSignals", "Text"]),
    .target(name: "MPI", dependencies: ["CMPI"]),
    .target(name: "NeuralNet", dependencies: ["CKernels", "COpenBLAS", "RandomNumbers", "System", "Text"]),
    .target(
      name: "DataFormats",
      dependencies: ["CArchive", "CImages", "CKernels", "CZlib", "RandomNumbers", "System", "Text"]),
    .target(
      name: "DistributedSGD",
      dependencies: ["CKernels", "DataFormats", "MPI", "NeuralNet", "RandomNumbers", "System"]),
    .target(
      name: "Runs",
      dependencies: [
        "CSignals", "CSockets", "CYAML", "DataFormats", "DistributedSGD", "MPI", "NeuralNet", "System",
        "Text",
      ]),
    .target(
      name: "Bench",
      dependencies: [
        "CBandwidth", "DataFormats", "DistributedSGD", "MPI", "NeuralNet", "Plot", "RandomNumbers", "Runs",
        "System", "Text",
      ]),
    .target(
      name: "Experiments",
      dependencies: [
        "CKernels", "DataFormats", "DistributedSGD", "MPI", "NeuralNet", "Plot", "RandomNumbers", "Runs",
        "System", "Text",
      ]),
    .target(
      name: "Doctor",
      dependencies: [
        "Bench", "CSignals", "DistributedSGD", "MPI", "NeuralNet", "Runs", "System", "Text",
      ]),
    .target(
      name: "Planning",
      dependencies: ["DistributedSGD", "MPI", "NeuralNet", "Plot", "Report", "Runs", "System", "Text"]),
    .target(
      name: "Commands",
      dependencies: [
        "Bench", "DataFormats", "DistributedSGD", "Doctor", "Experiments", "MPI", "NeuralNet", "Planning",
        "Report", "Runs",
        "System",
        "Text", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(name: "distsgd", dependencies: ["Commands"]),
    .target(
      name: "TestSupport",
      dependencies: ["DataFormats", "DistributedSGD", "MPI", "NeuralNet", "RandomNumbers", "System"],
      path: "Tests/TestSupport"),
    .testTarget(name: "TextTests", dependencies: ["System", "Text"]),
    .testTarget(name: "MPITests", dependencies: ["MPI"]),
    .testTarget(name: "PlotTests", dependencies: ["Plot"]),
    .testTarget(name: "ReportTests", dependencies: ["Plot", "Report", "System", "TestSupport"]),
    .testTarget(name: "RandomNumbersTests", dependencies: ["RandomNumbers"]),
    .testTarget(name: "SystemTests", dependencies: ["System", "TestSupport"]),
    .testTarget(
      name: "NeuralNetTests",
      dependencies: [
        "CKernels", "DataFormats", "DistributedSGD", "NeuralNet", "RandomNumbers", "TestSupport",
      ]),
    .testTarget(
      name: "DataFormatsTests",
      dependencies: ["DataFormats", "MPI", "RandomNumbers", "System", "TestSupport", "Text"]),
    .testTarget(
      name: "DistributedSGDTests",
      dependencies: ["DataFormats", "DistributedSGD", "MPI", "NeuralNet", "RandomNumbers", "TestSupport"]),
    .testTarget(
      name: "RunsTests",
      dependencies: [
        "CSockets", "DataFormats", "DistributedSGD", "MPI", "NeuralNet", "Runs", "System", "TestSupport",
      ]),
    .testTarget(
      name: "BenchTests",
      dependencies: ["Bench", "DataFormats", "DistributedSGD", "MPI", "NeuralNet", "System"]),
    .testTarget(name: "DoctorTests", dependencies: ["Doctor", "System"]),
    .testTarget(name: "PlanningTests", dependencies: ["Planning", "System", "TestSupport"]),
    .testTarget(
      name: "JobTests",
      dependencies: ["DataFormats", "MPI", "NeuralNet", "RandomNumbers", "Runs", "TestSupport", "Text"]),
    .testTarget(name: "TestbedTests", dependencies: ["Runs", "System"]),
    .executableTarget(
      name: "own-job", dependencies: ["DistributedSGD", "NeuralNet", "Runs", "System", "TestSupport"],
      path: "Tests/OwnJob"),
    .executableTarget(
      name: "mistakes", dependencies: ["DataFormats", "DistributedSGD", "NeuralNet", "Runs"],
      path: "Tests/Mistakes"),
    .target(
      name: "FuzzTargets",
      dependencies: [
        "DataFormats", "DistributedSGD", "Doctor", "MPI", "NeuralNet", "Report", "Runs", "System",
        "TestSupport", "Text",
      ],
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
