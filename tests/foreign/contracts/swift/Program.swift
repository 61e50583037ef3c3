// A program of an app team, over the code that openapi-generator wrote.
import Foundation
import Kiosk

struct HomeScreen: Sendable {
    let home: Home
    let missing: [String]
}

actor Shop {
    private let configuration: KioskAPIConfiguration

    init(address: String, token: String) {
        configuration = KioskAPIConfiguration(
            basePath: address, customHeaders: ["Authorization": "Bearer \(token)"])
    }

    func home() async throws -> HomeScreen {
        let response = try await DefaultAPI.getHomeWithRequestBuilder(apiConfiguration: configuration)
            .execute()
        let field = response.header.first { $0.key.lowercased() == "part-status" }
        let parts = field?.value.components(separatedBy: ", ") ?? []
        return HomeScreen(
            home: response.body,
            missing: parts.filter { !$0.contains("=ok") && !$0.contains("=stale") })
    }

    func order(_ sku: String, key: UUID) async throws -> Order {
        do {
            return try await DefaultAPI.postOrder(
                newOrder: NewOrder(sku: sku), idempotencyKey: key.uuidString,
                apiConfiguration: configuration)
        } catch let ErrorResponse.error(status, data?, _, _) {
            let problem = try JSONDecoder().decode(Problem.self, from: data)
            throw OrderRefused(status: status, code: problem.code, requestId: problem.requestId)
        }
    }

    func progress() async throws -> Home? {
        var request = URLRequest(url: URL(string: configuration.basePath + "/v1/home")!)
        request.setValue("application/x-ndjson", forHTTPHeaderField: "Accept")
        let (bytes, _) = try await URLSession.shared.bytes(for: request)
        for try await text in bytes.lines {
            let line = try JSONDecoder().decode(GetHomeLine.self, from: Data(text.utf8))
            if let answer = line.answer { return answer }
            if let problem = line.problem { throw OrderRefused(status: problem.status, code: problem.code) }
        }
        return nil
    }
}

struct OrderRefused: Error {
    let status: any BinaryInteger
    let code: String
    var requestId: String?
}
