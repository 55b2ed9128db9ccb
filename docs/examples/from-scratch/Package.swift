// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "from-scratch",
  dependencies: [.package(name: "distsgd", path: "../../..")],
  targets: [
    .executableTarget(
      name: "from-scratch",
      dependencies: [
        .product(name: "DistributedSGD", package: "distsgd"),
        .product(name: "MPI", package: "distsgd"),
        .product(name: "Runs", package: "distsgd"),
      ],
      path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
