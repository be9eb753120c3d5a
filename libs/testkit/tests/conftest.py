pytest_plugins = ["yard.testkit.fixtures"]
