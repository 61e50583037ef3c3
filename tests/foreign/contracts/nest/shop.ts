// A small shop in Nest, with the decorators that people use. It prints its OpenAPI document.
import "reflect-metadata";
import { Body, Controller, Delete, Get, Headers, HttpCode, Module, Param, Patch, Post, Query } from "@nestjs/common";
import { UploadedFile, UseInterceptors } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FileInterceptor } from "@nestjs/platform-express";
import {
  ApiBearerAuth, ApiBody, ApiConsumes, ApiCreatedResponse, ApiExtraModels, ApiHeader, ApiNoContentResponse,
  ApiNotFoundResponse, ApiOkResponse, ApiOperation, ApiParam, ApiProperty, ApiPropertyOptional, ApiQuery,
  ApiSecurity, ApiTags, DocumentBuilder, IntersectionType, OmitType, PartialType, PickType, SwaggerModule,
  getSchemaPath,
} from "@nestjs/swagger";

enum Status { Draft = "draft", OnSale = "on-sale", Gone = "gone" }
enum Size { Small = 1, Large = 2 }

class Money {
  @ApiProperty({ type: "integer", format: "int64", minimum: 0, example: 1999 }) cents!: number;
  @ApiProperty({ default: "EUR", minLength: 3, maxLength: 3, pattern: "^[A-Z]{3}$" }) currency!: string;
}

class Category {
  @ApiProperty() id!: number;
  @ApiProperty({ type: () => Category, nullable: true, description: "The one above." }) parent!: Category | null;
  @ApiProperty({ type: () => [Category] }) children!: Category[];
}

class Card {
  @ApiProperty({ enum: ["card"] }) method!: "card";
  @ApiProperty() lastDigits!: string;
}

class Invoice {
  @ApiProperty({ enum: ["invoice"] }) method!: "invoice";
  @ApiPropertyOptional({ type: String, format: "date" }) due?: string;
}

@ApiExtraModels(Card, Invoice)
class Product {
  @ApiProperty({ format: "uuid", readOnly: true, example: "f3c1f2a0-7a5b-4b8e-9a68-3d2c0c6f7a11" }) id!: string;
  @ApiProperty({ description: "What people read.", maxLength: 80, example: "Lamp" }) name!: string;
  @ApiPropertyOptional({ type: String, nullable: true, example: null }) text?: string | null;
  @ApiProperty({ enum: Status, enumName: "Status" }) status!: Status;
  @ApiPropertyOptional({ enum: Size, "x-enumNames": ["Small", "Large"], default: Size.Small } as object) size?: Size;
  @ApiProperty({ type: Money }) price!: Money;
  @ApiPropertyOptional({ type: Money, nullable: true, deprecated: true }) oldPrice?: Money | null;
  @ApiProperty({ type: [String], uniqueItems: true, example: ["light"] }) tags!: string[];
  @ApiProperty({ type: "object", additionalProperties: { type: "string" } }) labels!: Record<string, string>;
  @ApiProperty({ type: () => Category }) category!: Category;
  @ApiProperty({ type: Date }) createdAt!: Date;
  @ApiProperty({ type: "array", items: { type: "array", items: { type: "number" } } }) sizes!: number[][];
  @ApiProperty({
    oneOf: [{ $ref: getSchemaPath(Card) }, { $ref: getSchemaPath(Invoice) }],
    discriminator: {
      propertyName: "method",
      mapping: { card: getSchemaPath(Card), invoice: getSchemaPath(Invoice) },
    },
  })
  payment!: Card | Invoice;
}

class NewProduct extends OmitType(Product, ["id", "createdAt"] as const) {
  @ApiProperty({ writeOnly: true }) secret!: string;
}
class ProductPatch extends PartialType(NewProduct) {}
class ProductLine extends IntersectionType(PickType(Product, ["id", "name"] as const), Money) {}

class Page {
  @ApiProperty() total!: number;
  @ApiPropertyOptional({ type: String, nullable: true }) next?: string | null;
}

class Problem {
  @ApiProperty({ example: 404 }) statusCode!: number;
  @ApiProperty({ oneOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] }) message!: string | string[];
}

@ApiTags("products")
@ApiBearerAuth()
@ApiExtraModels(Page)
@Controller({ path: "products", version: "1" })
class Products {
  @Get()
  @ApiOperation({ operationId: "listProducts", summary: "List products" })
  @ApiQuery({ name: "status", enum: Status, enumName: "Status", isArray: true, required: false })
  @ApiQuery({ name: "limit", type: "integer", required: false, schema: { default: 20, maximum: 100 } as object })
  @ApiOkResponse({
    schema: {
      allOf: [
        { $ref: getSchemaPath(Page) },
        { properties: { items: { type: "array", items: { $ref: getSchemaPath(Product) } } }, required: ["items"] },
      ],
    },
  })
  list(@Query("status") status?: Status[], @Query("limit") limit?: number): unknown { return { status, limit }; }

  @Get("lines")
  @ApiOkResponse({ type: [ProductLine], headers: { "X-Total": { schema: { type: "integer" } } } })
  lines(): ProductLine[] { return []; }

  @Get(":id")
  @ApiParam({ name: "id", format: "uuid" })
  @ApiOkResponse({ type: Product })
  @ApiNotFoundResponse({ type: Problem, description: "No such product." })
  one(@Param("id") id: string): unknown { return id; }

  @Post()
  @ApiBody({
    type: NewProduct,
    examples: { lamp: { value: { name: "Lamp", secret: "x", status: "draft", price: { cents: 1, currency: "EUR" },
      tags: [], labels: {}, category: { id: 1, parent: null, children: [] }, sizes: [[1, 2.5]],
      payment: { method: "card", lastDigits: "1234" } } } },
  })
  @ApiHeader({ name: "Idempotency-Key", required: true })
  @ApiCreatedResponse({ type: Product })
  create(@Body() body: NewProduct, @Headers("Idempotency-Key") key: string): unknown { return { body, key }; }

  @Patch(":id")
  @ApiOkResponse({ type: Product })
  change(@Param("id") id: string, @Body() body: ProductPatch): unknown { return { id, body }; }

  @Delete(":id")
  @HttpCode(204)
  @ApiNoContentResponse()
  @ApiSecurity("key")
  remove(@Param("id") id: string): void { void id; }

  @Post(":id/photo")
  @ApiConsumes("multipart/form-data")
  @ApiBody({ schema: { type: "object", properties: { file: { type: "string", format: "binary" } } } })
  @UseInterceptors(FileInterceptor("file"))
  photo(@Param("id") id: string, @UploadedFile() file: unknown): unknown { return { id, file }; }
}

@Module({ controllers: [Products] })
class Shop {}

async function main(): Promise<void> {
  const app = await NestFactory.create(Shop, { logger: false });
  const config = new DocumentBuilder()
    .setTitle("Shop").setVersion("1.2").addServer("https://{host}/api", "live", { host: { default: "shop.example" } })
    .addBearerAuth().addApiKey({ type: "apiKey", in: "header", name: "X-Key" }, "key").build();
  console.log(JSON.stringify(SwaggerModule.createDocument(app, config)));
}

void main();
