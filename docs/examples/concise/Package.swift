// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "concise",
  dependencies: [.package(name: "distsgd", path: "../../..")],
  targets: [
    .executableTarget(
      name: "concise",
      dependencies: [
        .product(name: "NeuralNet", package: "distsgd"),
        .product(name: "Runs", package: "distsgd"),
      ],
      path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
