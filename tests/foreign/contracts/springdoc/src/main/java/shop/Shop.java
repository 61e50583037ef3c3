package shop;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.DiscriminatorMapping;
import io.swagger.v3.oas.annotations.media.ExampleObject;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Size;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RequestPart;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.multipart.MultipartFile;

/** A small shop, with the annotations that people use. It prints its OpenAPI document and ends. */
@SpringBootApplication
public class Shop {

  public static void main(String[] arguments) throws Exception {
    var application = new SpringApplication(Shop.class);
    application.setDefaultProperties(
        Map.of("server.port", "0", "logging.level.root", "off", "spring.main.banner-mode", "off"));
    try (var context = application.run(arguments)) {
      var port = context.getEnvironment().getProperty("local.server.port");
      var address = URI.create("http://127.0.0.1:" + port + "/v3/api-docs");
      var answer =
          HttpClient.newHttpClient()
              .send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString());
      System.out.println(answer.body());
    }
  }

  enum Status {
    DRAFT,
    ON_SALE
  }

  record Money(@Min(0) long cents, @Pattern(regexp = "^[A-Z]{3}$") String currency) {}

  record Category(@NotNull Integer id, Category parent, List<Category> children) {}

  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "method")
  @JsonSubTypes({
    @JsonSubTypes.Type(value = Card.class, name = "card"),
    @JsonSubTypes.Type(value = Invoice.class, name = "invoice")
  })
  interface Payment {}

  record Card(@NotBlank String lastDigits) implements Payment {}

  record Invoice(LocalDate due) implements Payment {}

  @Schema(
      discriminatorProperty = "kind",
      discriminatorMapping = {
        @DiscriminatorMapping(value = "parcel", schema = Parcel.class),
        @DiscriminatorMapping(value = "pickup", schema = Pickup.class)
      },
      subTypes = {Parcel.class, Pickup.class})
  static class Delivery {
    public String kind;
  }

  static class Parcel extends Delivery {
    public String street;
  }

  static class Pickup extends Delivery {
    public String branch;
  }

  record Product(
      @Schema(accessMode = Schema.AccessMode.READ_ONLY) UUID id,
      @NotBlank @Size(max = 80) @Schema(description = "What people read.", example = "Lamp") String name,
      @Schema(nullable = true) String text,
      @NotNull Status status,
      @NotNull @Valid Money price,
      List<String> tags,
      Map<String, String> labels,
      Map<String, List<Money>> history,
      Category category,
      Payment payment,
      Delivery delivery,
      Instant createdAt,
      BigDecimal weight,
      byte[] thumbnail,
      Optional<Integer> stock,
      Object more) {}

  record Page<T>(List<T> items, long total, String next) {}

  @Tag(name = "products")
  @RestController
  @RequestMapping("/products")
  static class Products {

    @Operation(operationId = "listProducts", summary = "List products")
    @GetMapping
    Page<Product> list(
        @RequestParam(required = false) List<Status> status,
        @RequestParam(defaultValue = "20") @Max(100) int limit) {
      return new Page<>(List.of(), limit, null);
    }

    @GetMapping("/{id}")
    @ApiResponse(responseCode = "200")
    @ApiResponse(
        responseCode = "404",
        description = "No such product.",
        content =
            @io.swagger.v3.oas.annotations.media.Content(
                mediaType = "application/problem+json",
                schema = @Schema(implementation = ProblemDetail.class),
                examples = @ExampleObject(name = "gone", value = "{\"title\": \"Gone\", \"status\": 404}")))
    ResponseEntity<Product> one(@PathVariable UUID id) {
      return ResponseEntity.notFound().build();
    }

    @PostMapping
    @ResponseStatus(HttpStatus.CREATED)
    Product create(
        @RequestHeader("Idempotency-Key") String key, @Valid @RequestBody Product product) {
      return product;
    }

    @DeleteMapping("/{id}")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    void remove(@PathVariable UUID id) {}

    @PostMapping(path = "/{id}/photo", consumes = MediaType.MULTIPART_FORM_DATA_VALUE)
    Map<String, Object> photo(@PathVariable UUID id, @RequestPart MultipartFile file) {
      return Map.of("size", file.getSize());
    }

    @GetMapping(path = "/{id}/photo", produces = MediaType.IMAGE_PNG_VALUE)
    byte[] photo(@PathVariable UUID id) {
      return new byte[0];
    }
  }
}
