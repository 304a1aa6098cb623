"""What tests do with the page of `serve`."""

TEXT = "Ann Lee works for Acme Corp . She likes it ."


def words(page):
    return " ".join(page.locator("#layers .word").all_inner_texts()).split()


def wait_for(page, text):
    page.wait_for_function("text => document.getElementById('status').textContent.includes(text)", arg=text)


def annotate(page, text):
    page.locator("#text").fill(text)
    page.get_by_role("button", name="Annotate").click()
    wait_for(page, "Found")
