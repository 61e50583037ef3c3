"""Settings: the environment variables, and errors that name them."""

import warnings

import pytest

from bff_core.edge.options import LOCAL_HOSTS, EdgeOptions
from bff_core.errors import ConfigurationError
from bff_core.settings.model import ConfigurationWarning, Settings


def test_an_empty_environment_is_production_with_safe_bounds():
    """Without settings, the strictest values apply."""
    settings = Settings.load({})

    assert (settings.env, settings.auth, settings.log_format) == ("production", "none", "json")
    assert (settings.timeout, settings.max_body, settings.max_concurrent) == (10.0, 1 << 20, 1000)
    assert settings.cors_origins == ()


def test_every_variable_is_read():
    """Each field has its variable, in its own unit."""
    settings = Settings.load(
        {
            "BFF_ENV": "development",
            "BFF_AUTH": "demo",
            "BFF_ALLOWED_HOSTS": "shop.example, *.shop.example",
            "BFF_CORS_ORIGINS": "https://shop.example",
            "BFF_CORS_CREDENTIALS": "true",
            "BFF_TIMEOUT": "2.5",
            "BFF_MAX_BODY": "2MiB",
            "BFF_MAX_CONCURRENT": "64",
            "BFF_MAX_LAG": "0.005",
            "BFF_BROWNOUT": "false",
            "BFF_CACHE_URL": "rediss://cache.internal:6380/1",
            "BFF_CACHE_SIZE": "8MiB",
            "BFF_PURGE_SECRET": "the-secret-of-tomorrow, the-secret-of-today-and-before",
            "BFF_LOG": "off",
            "BFF_LOG_LEVEL": "debug",
            "BFF_REVISION": "abc123",
            "BFF_GC_FREEZE": "false",
            "BFF_GC_THRESHOLD": "0",
            "BFF_UPSTREAM_USERS": "http://127.0.0.1:9001",
        }
    )

    assert settings == Settings(
        env="development",
        auth="demo",
        upstreams={"users": ("http://127.0.0.1:9001",)},
        allowed_hosts=("shop.example", "*.shop.example"),
        cors_origins=("https://shop.example",),
        cors_credentials=True,
        timeout=2.5,
        max_body=2 * 1024 * 1024,
        max_concurrent=64,
        max_lag=0.005,
        brownout=False,
        cache_url="rediss://cache.internal:6380/1",
        cache_size=8 * 1024 * 1024,
        purge_secret=("the-secret-of-tomorrow", "the-secret-of-today-and-before"),
        log="off",
        log_level="debug",
        revision="abc123",
        gc_freeze=False,
        gc_threshold=0,
    )


def test_an_empty_variable_counts_as_unset():
    """Compose files and shells set empty variables."""
    assert Settings.load({"BFF_TIMEOUT": "", "BFF_ENV": " "}) == Settings()


def test_logs_are_for_people_in_development():
    """Unless BFF_LOG says otherwise."""
    assert Settings(env="development").log_format == "text"
    assert Settings(env="development", log="json").log_format == "json"


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("http://127.0.0.1:9001", ("http://127.0.0.1:9001",)),
        ("https://users.internal/api/", ("https://users.internal/api",)),
        ("http://a:1,http://b:2", ("http://a:1", "http://b:2")),
        ("http://a:1 , http://b:2 ,", ("http://a:1", "http://b:2")),
        ("http://[::1]:9001", ("http://[::1]:9001",)),
    ],
)
def test_a_service_has_one_address_or_several(value, addresses):
    """Any name may follow the prefix."""
    settings = Settings.load({"BFF_UPSTREAM_ORDER_HISTORY": value})

    assert settings.upstream("order_history") == addresses
    assert settings.upstream("order-history") == addresses


def test_a_service_without_address_is_named_with_an_example():
    """The message can be copied into a shell."""
    with pytest.raises(ConfigurationError, match=r"BFF_UPSTREAM_USERS=http://127\.0\.0\.1:9001"):
        Settings().upstream("users")


@pytest.mark.parametrize(
    "address",
    [
        "users:9001",
        "ftp://users",
        "http://",
        "http://users:port",
        "http://users:99999",
        "http://users:0",
        "http://users?x=1",
        "http://users#top",
        "http://us ers",
        "http://users\n.evil",
        "http://[::1",
        "file://host/etc/passwd",
        "srv://users.internal",
        "srv://_http._tcp.users:53",
        ",",
    ],
)
def test_what_is_no_address_is_refused_by_its_variable(address):
    """Wrong addresses are an error at start-up."""
    with pytest.raises(ConfigurationError, match=r"^BFF_UPSTREAM_USERS="):
        Settings.load({"BFF_UPSTREAM_USERS": f"http://good:1,{address}" if address != "," else ","})


def test_credentials_in_an_address_are_refused_and_not_repeated():
    """The error is logged, so it must not have the password."""
    with pytest.raises(ConfigurationError, match="no credentials") as caught:
        Settings.load({"BFF_UPSTREAM_USERS": "http://admin:hunter2@users"})

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value", "accepted"),
    [
        ("BFF_ENV", "staging", "development or production"),
        ("BFF_AUTH", "magic", "none or demo"),
        ("BFF_TIMEOUT", "soon", "such as 10"),
        ("BFF_TIMEOUT", "0", "above 0"),
        ("BFF_TIMEOUT", "nan", "above 0"),
        ("BFF_TIMEOUT", "inf", "up to 3600"),
        ("BFF_MAX_BODY", "many", "1MiB"),
        ("BFF_MAX_CONCURRENT", "0", "from 1 up"),
        ("BFF_LOG", "xml", "json, text, root or off"),
        ("BFF_LOG_LEVEL", "loud", "debug, info"),
        ("BFF_GC_FREEZE", "perhaps", "true or false"),
        ("BFF_GC_THRESHOLD", "-1", "0 leaves Python's"),
        ("BFF_CORS_CREDENTIALS", "maybe", "true or false"),
        ("BFF_CACHE_URL", "memcached://cache", "redis:// or rediss://"),
        ("BFF_CACHE_SIZE", "plenty", "64MiB"),
        ("BFF_ISSUER", "id.example", "such as https://id.example"),
        ("BFF_ISSUER", "https://id.example/?tenant=1", "such as https://id.example"),
        ("BFF_ISSUER", "https://", "such as https://id.example"),
    ],
)
def test_a_wrong_value_is_reported_with_what_is_accepted(variable, value, accepted):
    """Variable, value and remedy in one line."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.load({variable: value})

    assert str(caught.value).startswith(f"{variable}={value!r} is not accepted")
    assert accepted in str(caught.value)
    assert str(caught.value).count(accepted) == 1


def test_all_wrong_values_are_reported_at_once():
    """One start is enough to learn of five mistakes."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.load({"BFF_TIMEOUT": "x", "BFF_LOG": "y", "BFF_UPSTREAM_CART": "z"})

    variables = [line.partition("=")[0] for line in str(caught.value).splitlines()]
    assert sorted(variables) == ["BFF_LOG", "BFF_TIMEOUT", "BFF_UPSTREAM_CART"]


def test_the_old_name_of_a_variable_is_still_read():
    """An upgrade does not stop trusting the proxies in front."""
    settings = Settings.load({"BFF_TRUSTED_HOPS": "10.0.0.0/8, unix"})

    assert settings.trusted_proxies == ("10.0.0.0/8", "unix")
    assert list(settings.renamed) == ["BFF_TRUSTED_HOPS"]
    assert "BFF_TRUSTED_PROXIES" in settings.renamed["BFF_TRUSTED_HOPS"]


@pytest.mark.parametrize(
    "environ", [{"BFF_TRUSTED_PROXIES": "unix"}, {"BFF_TRUSTED_HOPS": " "}, {}]
)
def test_only_the_old_name_is_warned_about(environ):
    """An empty variable counts as unset, by its old name too."""
    assert not Settings.load(environ).renamed


def test_a_variable_by_both_names_is_refused():
    """The gateway does not guess which of two values applies."""
    with pytest.raises(ConfigurationError, match="BFF_TRUSTED_HOPS and BFF_TRUSTED_PROXIES are"):
        Settings.load({"BFF_TRUSTED_HOPS": "10.0.0.1", "BFF_TRUSTED_PROXIES": "10.0.0.2"})


def test_a_misspelt_variable_is_reported_with_the_right_one():
    """A misspelt variable must not be ignored silently."""
    with pytest.warns(ConfigurationWarning, match="BFF_TIMEOUTS is set.*did you mean BFF_TIMEOUT"):
        Settings.load({"BFF_TIMEOUTS": "1"})


def test_variables_of_other_programs_are_ignored():
    """Only variables with the prefix BFF_ are checked, except the test run's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        settings = Settings.load({"PATH": "/bin", "TIMEOUT": "1", "BFF_REQUIRE_ALL": "1"})

    assert settings == Settings()


SERVICE = {
    "SERVICE_HOST": "10.0.0.1",
    "SERVICE_PORT": "8000",
    "SERVICE_PORT_HTTP": "8000",
    "SERVICE_PORT_FILE": "8001",
    "PORT": "tcp://10.0.0.1:8000",
    "PORT_8000_TCP": "tcp://10.0.0.1:8000",
    "PORT_8000_TCP_PROTO": "tcp",
    "PORT_8000_TCP_PORT": "8000",
    "PORT_8000_TCP_ADDR": "10.0.0.1",
    "PORT_53_UDP": "udp://10.0.0.1:53",
    "PORT_53_UDP_PROTO": "udp",
    "PORT_9_SCTP": "sctp://10.0.0.1:9",
}
"""What Kubernetes sets for one Service, behind the Service's name."""


@pytest.mark.parametrize("address", ["10.0.0.1", "fd00::1"])
@pytest.mark.parametrize(
    "service",
    [
        "bff", "bff-web", "bff-upstream", "bff-upstream-users", "bff-secret", "bff-cache",
        "bff-redis", "bff-host", "bff-session", "bff-workers", "bff-port", "bff-file",
    ],
)  # fmt: skip
def test_variables_that_kubernetes_sets_for_a_service_are_ignored(service, address):
    """A Service may be named after the gateway: that neither stops it nor fills its log."""
    name = service.upper().replace("-", "_")
    in_url = f"[{address}]" if ":" in address else address
    injected = {
        f"{name}_{key}": value.replace("10.0.0.1", in_url if "//" in value else address)
        for key, value in SERVICE.items()
    }

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        settings = Settings.load({**injected, "BFF_UPSTREAM_CART": "http://cart:1"})

    assert settings == Settings(upstreams={"cart": ("http://cart:1",)})


@pytest.mark.parametrize("name", SERVICE)
def test_each_variable_of_a_service_is_ignored_alone(name):
    """Some platforms pass on a part of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        assert Settings.load({f"BFF_{name}": SERVICE[name]}) == Settings()


def test_the_port_of_a_gateway_is_a_number_also_in_kubernetes():
    """A number is the setting; what an operator sets in a pod replaces the Service's variable."""
    assert Settings.load({"BFF_PORT": "8080", "BFF_SERVICE_HOST": "10.0.0.1"}).port == 8080


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BFF_PORT", "tcp://shop.example:8000"),
        ("BFF_PORT", "http://10.0.0.1:8000"),
        ("BFF_PORT", "tcp://10.0.0.1"),
        ("BFF_PORT", "tcp://[10.0.0.1:8000"),
        ("BFF_PORT", "tcp://999.0.0.1:8000"),
        ("BFF_UPSTREAM_SERVICE_HOST", "gateway"),
    ],
)
def test_a_value_that_kubernetes_never_sets_is_still_refused(variable, value):
    """A wrong setting is not mistaken for a variable of Kubernetes."""
    with pytest.raises(ConfigurationError, match=f"^{variable}="):
        Settings.load({variable: value})


@pytest.mark.parametrize("name", ["service_host", "users_port", "web_service_port"])
def test_an_upstream_may_be_named_as_if_it_were_of_kubernetes(name):
    """Its value is an http address, which Kubernetes does not set."""
    settings = Settings.load({f"BFF_UPSTREAM_{name.upper()}": "http://10.0.0.1:8000"})

    assert settings.upstream(name) == ("http://10.0.0.1:8000",)


@pytest.mark.parametrize(
    "variable", ["BFF_UPSTREM_USERS", "BFF_SERVICE_HOSTS", "BFF_PORTS", "BFF_SERVICE_NAME"]
)
def test_a_misspelt_variable_beside_those_of_kubernetes_is_reported(variable):
    """A misspelt variable is still reported."""
    with pytest.warns(ConfigurationWarning, match=f"{variable} is set, but nothing reads it"):
        Settings.load({variable: "10.0.0.1", "BFF_SERVICE_HOST": "10.0.0.1"})


def test_settings_built_by_hand_read_nothing(monkeypatch):
    """Such settings do not depend on the environment."""
    monkeypatch.setenv("BFF_TIMEOUT", "3")

    assert Settings().timeout == 10.0


def test_settings_built_by_hand_take_text():
    """Addresses and secrets are plain text, by any spelling of their names."""
    settings = Settings(
        upstreams={"catalog": "http://a, http://b", "User-Data": ["http://c"]},
        secrets={"maps": "one", "Pay-Two": "two"},
        operator_token="a-token-of-the-operators",
        session_keys=["k" * 32],
        allowed_hosts="shop.example",
    )

    assert settings.upstream("catalog") == ("http://a", "http://b")
    assert settings.upstream("User-Data") == settings.upstream("user_data") == ("http://c",)
    assert (settings.secret("maps"), settings.secret("pay-two")) == ("one", "two")
    assert settings.sealing_secrets == ("k" * 32,)
    assert settings.allowed_hosts == ("shop.example",)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"timeouts": 1}, "Settings(timeouts=...) is no setting: did you mean timeout?"),
        ({"nonsense": 1}, "Settings(nonsense=...) is no setting."),
        ({"timeout": "soon"}, "Settings(timeout='soon') is not accepted: give seconds above 0"),
        ({"upstreams": {"cart": "carts:9000"}}, "Settings(upstreams.cart='carts:9000') is not"),
        ({"upstreams": "http://a"}, "Settings(upstreams='http://a') is not accepted: give one or"),
        ({"upstreams": {1: "http://a"}}, "Settings(upstreams.1=1) is not accepted"),
        ({"secrets": {"maps": 3}}, "Settings(secrets.maps='***') is not accepted"),
        ({"issuer": "http://x@id.example"}, "Settings(issuer='http://***@id.example') is not"),
    ],
)
def test_settings_built_by_hand_are_checked(values, message):
    """The error names the keyword, shows no secret, and says what is accepted."""
    with pytest.raises(ConfigurationError) as caught:
        Settings(**values)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "secret", ["short-one", "whsec_not base64 at all!!", "whsec_AAAAAAAAAAAAAAAAAAAAAAAA"]
)
def test_a_weak_secret_is_refused_and_not_repeated(secret):
    """It must be long enough, also after decoding, and is not logged."""
    with pytest.raises(ConfigurationError, match="20 characters or more") as caught:
        Settings.load({"BFF_PURGE_SECRET": f"{'x' * 20},{secret}"})

    assert str(caught.value).startswith("BFF_PURGE_SECRET='***'")
    assert secret not in str(caught.value)


def test_production_must_name_its_hosts():
    """Start-up refuses with the variable and an example."""
    with pytest.raises(ConfigurationError, match=r"BFF_ALLOWED_HOSTS=shop\.example"):
        EdgeOptions.of(Settings())


def test_a_laptop_answers_to_its_local_names():
    """Development needs no host setting and must not pin browsers to https."""
    options = EdgeOptions.of(Settings(env="development"))

    assert options.allowed_hosts == LOCAL_HOSTS
    assert options.hsts == ""


def test_the_edge_is_bounded_by_the_settings():
    """The edge uses the values of the environment."""
    settings = Settings(
        allowed_hosts=("shop.example",),
        timeout=3,
        max_body=10,
        max_concurrent=5,
        cors_origins=("https://a.example",),
        cors_credentials=True,
    )

    options = EdgeOptions.of(settings)

    assert (options.timeout, options.max_body, options.max_concurrent) == (3, 10, 5)
    assert options.allowed_hosts == ("shop.example",)
    assert options.cors.origins == ("https://a.example",)
    assert options.cors.with_credentials


def test_a_wrong_origin_in_the_environment_is_named_by_its_variable():
    """An origin with a path would never match, without a reason to be found."""
    settings = Settings.load({"BFF_ENV": "development", "BFF_CORS_ORIGINS": "https://a.example/"})

    with pytest.raises(ConfigurationError, match="BFF_CORS_ORIGINS"):
        EdgeOptions.of(settings)


@pytest.mark.parametrize(
    "bound",
    [
        {"timeout": 0},
        {"timeout": float("nan")},
        {"grace": -1},
        {"max_body": -1},
        {"max_fields": 0},
        {"max_field_bytes": 0},
        {"max_concurrent": 0},
        {"longest_wait": "4"},
    ],
)
def test_an_option_out_of_its_range_is_refused(bound):
    """The option and its value are named."""
    (name,) = bound

    with pytest.raises(ConfigurationError, match=f"EdgeOptions.{name} must be .*, not "):
        EdgeOptions(**bound)
