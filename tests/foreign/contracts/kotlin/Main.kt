// A program of an app team: it calls a live gateway with the code that openapi-generator wrote.
package kiosk.app

import kiosk.apis.DefaultApi
import kiosk.infrastructure.ApiClient
import kiosk.infrastructure.ClientError
import kiosk.infrastructure.ClientException
import kiosk.infrastructure.Serializer
import kiosk.infrastructure.Success
import kiosk.models.GetHomeLine
import kiosk.models.NewOrder
import kiosk.models.Problem
import java.util.UUID
import kotlin.system.exitProcess
import kotlinx.coroutines.runBlocking
import okhttp3.OkHttpClient
import okhttp3.Request

fun check(name: String, condition: Boolean) {
    println("${if (condition) "ok" else "not ok"}: $name")
    if (!condition) exitProcess(1)
}

fun main(arguments: Array<String>) = runBlocking<Unit> {
    val url = arguments[0]
    Serializer.kotlinxSerializationJsonConfiguration = { explicitNulls = false; coerceInputValues = true }
    ApiClient.accessToken = "demo-1"
    val api = DefaultApi(basePath = url)
    val json = Serializer.kotlinxSerializationJson

    val home = api.getHome(down = true)
    check("a part that is down is null", home.points == null && home.name == "Customer 1")
    check("others are there", home.orders.map { it.note } == listOf(null, "fragile"))

    val reply = api.getHomeWithHttpInfo(down = true) as Success
    val states = reply.headers["part-status"]!!.joinToString()
    check("the header has the states of parts", "points=missing;reason=timeout" in states)

    val key = UUID.randomUUID().toString()
    val order = NewOrder(sku = "tent")
    val first = api.postOrder(order, call = "", idempotencyKey = key)
    val again = api.postOrder(order, call = "", idempotencyKey = key)
    check("a repeated write gets the same answer", first == again)

    check("a write without content", runCatching { api.deleteOrder(3L) }.isSuccess)

    ApiClient.accessToken = "demo-404"
    val error = runCatching { api.getHome() }.exceptionOrNull() as ClientException
    val body = (error.response as ClientError<*>).body as String
    val problem = json.decodeFromString<Problem>(body)
    check("a problem has its code", problem.code == "not_found" && error.statusCode == 404)
    check("and its request id", !problem.requestId.isNullOrEmpty())

    val pets = api.getPets()
    check("kinds of objects", pets.map { it.nineLives ?: it.likesWalks } == listOf(9L, true))

    val request = Request.Builder().url("$url/v1/home?down=true")
        .header("Authorization", "Bearer demo-1").header("Accept", "application/x-ndjson").build()
    OkHttpClient().newCall(request).execute().use { response ->
        val source = response.body.source()
        val lines = generateSequence { source.readUtf8Line() }
            .map { json.decodeFromString<GetHomeLine>(it) }.toList()
        val points = lines.single { it.part == "points" }
        check("a line shows a part early", points.status == "missing" && points.`value` != null)
        val last = lines.last()
        check("the last line has the answer", last.answer!!.name == "Customer 1")
        check("and the states", last.parts!!.getValue("points").reason == "timeout")
    }
    exitProcess(0) // threads of the HTTP client would live for another minute
}
