from netc.hooks import hookimpl


@hookimpl
def netc_layers():
    return {"Swirl": "swirl_that_is_not_there"}
